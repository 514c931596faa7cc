module github.com/usher-go/usher/examples/udp

go 1.25.0

replace github.com/usher-go/usher => ../..

require (
	github.com/rs/zerolog v1.35.1
	github.com/stretchr/testify v1.12.1
	github.com/usher-go/usher v0.0.0
)

require (
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.29.0 // indirect
)
