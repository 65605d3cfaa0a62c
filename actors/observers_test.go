package actors_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/parley-im/parley/actors"
)

// everyFunc calls do for each func of an observer.
func everyFunc(o *actors.Observer, do func(name string, f reflect.Value)) {
	v := reflect.ValueOf(o).Elem()
	for i := range v.NumField() {
		do(v.Type().Field(i).Name, v.Field(i))
	}
}

func TestJoinedObserversAreToldInTheirOrder(t *testing.T) {
	var told []string
	observer := func(who string) *actors.Observer {
		o := &actors.Observer{}
		everyFunc(o, func(name string, f reflect.Value) {
			f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value {
				told = append(told, who+" "+name)
				return nil
			}))
		})
		return o
	}
	everyFunc(actors.Observers(observer("a"), nil, observer("b"), &actors.Observer{}, observer("c")), func(name string, f reflect.Value) {
		told = nil
		f.Call([]reflect.Value{reflect.Zero(f.Type().In(0))})
		if want := []string{"a " + name, "b " + name, "c " + name}; !slices.Equal(told, want) {
			t.Errorf("%s: told %v, want %v", name, told, want)
		}
	})
}

func TestAFuncThatNoObserverHasIsNil(t *testing.T) {
	everyFunc(actors.Observers(nil, &actors.Observer{}), func(name string, f reflect.Value) {
		if !f.IsNil() {
			t.Errorf("%s is called for nobody", name)
		}
	})
}
