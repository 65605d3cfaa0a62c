// Package trace reads recorded chat traffic: who spoke where and when, without texts and names.
//
// A trace is a file of comma-separated values, plain or compressed with gzip (told apart by the first two bytes, not by the name). Its first
// line is [Header]; every further line is one message:
//
//	unix_seconds,conversation,seq,sender,bytes,mentions
//	1519661231,3,2,3,25,1 12
//
// unix_seconds is when the message was sent and never goes down from line to line. Conversations and senders are numbers from 1. seq counts
// the messages of a conversation: 1, 2, 3, …, without gaps. bytes is the length of the text. mentions are the users named, separated by single
// spaces; often there are none. Nothing is quoted. Lines end with a newline, which a carriage return may precede and the last line may lack.
package trace
