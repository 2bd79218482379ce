// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Env is where flags that are not given are looked for.
type Env struct {
	// Prefix begins the variables' names, such as "REGISTRAR_".
	Prefix string
	// Lookup is os.LookupEnv, or a test's.
	Lookup func(name string) (value string, ok bool)
}

// Name is the environment variable of a flag.
func (e Env) Name(flag string) string {
	return e.Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Strict makes c read its flags and their environment variables, and tell all
// faults at once, where cobra would stop at the first: somebody who mends a
// manifest should do it in one go. check, which may be nil, looks at the values
// afterwards.
func Strict(c *cobra.Command, env Env, check func() []error, do func(*cobra.Command) error) *cobra.Command {
	c.DisableFlagParsing = true
	c.Flags().BoolP("help", "h", false, "tell what this command does")
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" {
			f.Usage += " [" + env.Name(f.Name) + "]"
		}
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		faults := parseFlags(c.Flags(), args)
		if help, _ := c.Flags().GetBool("help"); help {
			return c.Help()
		}
		faults = append(faults, parseEnv(c.Flags(), env)...)
		if check != nil {
			faults = append(faults, check()...)
		}
		if len(faults) > 0 {
			return UsageError{Err: errors.Join(faults...)}
		}
		return do(c)
	}
	return c
}

// parseFlags sets the flags that args name, in the forms --flag=value, --flag
// value, -f value and, for switches, --flag.
func parseFlags(fs *pflag.FlagSet, args []string) []error {
	var faults []error
	for i := 0; i < len(args); i++ {
		given, value, hasValue := strings.Cut(args[i], "=")
		f := lookupFlag(fs, given)
		switch {
		case !strings.HasPrefix(given, "-"):
			faults = append(faults, fmt.Errorf("%q is no flag, and this command takes nothing else", args[i]))
			continue
		case f == nil:
			faults = append(faults, fmt.Errorf("there is no flag %s", given))
			continue
		case hasValue:
		case f.NoOptDefVal != "":
			value = f.NoOptDefVal
		case i+1 < len(args):
			i++
			value = args[i]
		default:
			faults = append(faults, fmt.Errorf("%s needs a value", given))
			continue
		}
		if err := set(fs, f, "--"+f.Name, value); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

// set gives a flag its value, which comes from where. One that cannot be read
// leaves the default, so that check finds no second fault in it.
func set(fs *pflag.FlagSet, f *pflag.Flag, where, value string) error {
	err := fs.Set(f.Name, value)
	if err == nil {
		return nil
	}
	if _, list := f.Value.(pflag.SliceValue); list {
		return fmt.Errorf("%s: %w", where, err)
	}
	if failed := f.Value.Set(f.DefValue); failed != nil {
		return fmt.Errorf("%s: %w", where, errors.Join(err, failed))
	}
	switch f.Value.Type() {
	case "bool":
		return fmt.Errorf("%s is %q: choose true or false", where, value)
	case "duration":
		return fmt.Errorf("%s is %q: write a number and its unit, such as 30s or 2m", where, value)
	default:
		return fmt.Errorf("%s is %q: %w", where, value, err)
	}
}

// Port says what is wrong with an address to listen at, nil for nothing.
func Port(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return errors.New("write it as address:port or :port")
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("there is no port %q: choose one of 1 to 65535", port)
	}
	return nil
}

func lookupFlag(fs *pflag.FlagSet, given string) *pflag.Flag {
	if name, long := strings.CutPrefix(given, "--"); long {
		return fs.Lookup(name)
	}
	if name := strings.TrimPrefix(given, "-"); len(name) == 1 {
		return fs.ShorthandLookup(name)
	}
	return nil
}

// parseEnv sets the flags that were not given from their variables. An empty
// variable counts as absent: a manifest often has one.
func parseEnv(fs *pflag.FlagSet, env Env) []error {
	var faults []error
	fs.VisitAll(func(f *pflag.Flag) {
		value, ok := env.Lookup(env.Name(f.Name))
		if f.Changed || !ok || value == "" || f.Name == "help" {
			return
		}
		if err := set(fs, f, "the environment variable "+env.Name(f.Name), value); err != nil {
			faults = append(faults, err)
		}
	})
	return faults
}
