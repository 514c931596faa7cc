module github.com/usher-go/usher/validator/gameliftapi

go 1.25.0

replace github.com/usher-go/usher => ../..
