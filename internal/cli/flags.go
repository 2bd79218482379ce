// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
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
		if err := fs.Set(f.Name, value); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
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
		if err := fs.Set(f.Name, value); err != nil {
			faults = append(faults, fmt.Errorf("environment variable %s: %w", env.Name(f.Name), err))
		}
	})
	return faults
}
