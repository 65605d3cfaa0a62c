package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

const (
	envPrefix     = "PARLEY_"
	configFlag    = "config"
	printFlag     = "print-config"
	keyNamespaces = "namespaces"
	// within separates the parts of a key in memory: no namespace has it, as one may have a dot.
	within = "\x00"
)

// Load reads the file at path, unless that is "", then the environment, given as "NAME=value", then the flags that were set, and those that were not for what is
// nowhere else. It reports all faults that it finds in one of them, each with where it stands.
func Load(path string, environment []string, flags *pflag.FlagSet) (*Config, error) {
	k := koanf.New(within)
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return nil, fmt.Errorf("--config: there is no file %s", path)
			}
			return nil, fmt.Errorf("%s: is not YAML that can be read: %w", path, err)
		}
	}
	if err := k.Load(confmap.Provider(known(environment, flags), within), nil); err != nil {
		return nil, err
	}
	if err := unknownEnvironment(environment, flags); err != nil {
		return nil, err
	}
	if err := k.Load(posflag.ProviderWithFlag(flags, within, k, func(f *pflag.Flag) (string, any) {
		if f.Name == configFlag || f.Name == printFlag || f.Name == "help" {
			return "", nil
		}
		return keyOf(f.Name), posflag.FlagVal(flags, f)
	}), nil); err != nil {
		return nil, err
	}
	return decode(path, k)
}

// keyOf returns where in the file the setting stands that has a flag.
func keyOf(flag string) string {
	key := strings.ReplaceAll(flag, "-", "_")
	if key == "expire_after" {
		key = "default" + within + key
	}
	return key
}

// known returns the environment's settings, by key.
func known(environment []string, flags *pflag.FlagSet) map[string]any {
	settings := map[string]any{}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if flag, ours := flagOf(name); ours && flag != configFlag && flag != printFlag && flags.Lookup(flag) != nil {
			settings[keyOf(flag)] = value
		}
	}
	return settings
}

// flagOf returns the flag whose setting an environment variable is, and whether it is one of ours.
func flagOf(variable string) (flag string, ours bool) {
	name, ours := strings.CutPrefix(variable, envPrefix)
	return strings.ReplaceAll(strings.ToLower(name), "_", "-"), ours
}

func unknownEnvironment(environment []string, flags *pflag.FlagSet) error {
	var faults []error
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if flag, ours := flagOf(name); ours && flags.Lookup(flag) == nil {
			var all []string
			flags.VisitAll(func(f *pflag.Flag) { all = append(all, f.Name) })
			meant := suggest(flag, all)
			if _, other, found := strings.Cut(meant, "mean "); found {
				meant = "; did you mean " + envPrefix + strings.ToUpper(strings.ReplaceAll(other, "-", "_"))
			}
			faults = append(faults, fmt.Errorf("%s: there is no such setting in the environment%s", name, meant))
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

// toDuration has times read as [Duration] reads them.
func toDuration(from, to reflect.Type, value any) (any, error) {
	if text, ok := value.(string); ok && to == reflect.TypeFor[time.Duration]() && from.Kind() == reflect.String {
		return Duration(text)
	}
	return value, nil
}

// decode makes a Config of what was read. Each namespace begins as a copy of the default policy.
func decode(path string, k *koanf.Koanf) (*Config, error) {
	where := path
	if where == "" {
		where = "settings"
	}
	raw := k.Raw()
	namespaces, ok := raw[keyNamespaces].(map[string]any)
	if raw[keyNamespaces] != nil && !ok {
		return nil, fmt.Errorf("%s: namespaces: must be a mapping of names to policies", where)
	}
	delete(raw, keyNamespaces)
	c := &Config{Namespaces: map[string]Policy{}}
	var faults []error
	fill := func(what string, from, into any) {
		known := settings(reflect.ValueOf(into).Elem().Interface())
		if what == "" {
			known = append(known, keyNamespaces)
		}
		var met mapstructure.Metadata
		decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
			Result: into, TagName: "koanf", Metadata: &met, WeaklyTypedInput: true,
			DecodeHook: toDuration,
			MatchName:  func(key, field string) bool { return key == field },
		})
		if err == nil {
			err = decoder.Decode(from)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %s%s", where, what, strings.Join(strings.Fields(err.Error()), " ")))
		}
		slices.Sort(met.Unused)
		for _, key := range met.Unused {
			names := known
			in, name, nested := strings.Cut(key, ".")
			if !nested {
				in, name = "", key
			} else {
				in, names = in+": ", settings(Policy{})
			}
			faults = append(faults, fmt.Errorf("%s: %s%s%s: there is no such setting%s", where, what, in, name, suggest(name, names)))
		}
	}
	fill("", raw, c)
	for name, policy := range namespaces {
		p := c.Default
		fill(keyNamespaces+": "+name+": ", policy, &p)
		c.Namespaces[name] = p
	}
	return c, errors.Join(faults...)
}
