// Command program serves package sample, or prints its document:
//
//	go run ./openapi/internal/sample/program openapi -3.0
package main

import "github.com/ishaa-framework/ishaa/openapi/internal/sample"

func main() { sample.New().Run() }
