package configs

import _ "embed"

//go:embed fieldphone.example.yaml
var example string

// Example returns a YAML file with every key, its meaning and its default.
func Example() string { return example }
