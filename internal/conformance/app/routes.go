package main

import "github.com/ishaa-framework/ishaa"

// routes lists what adds routes, a file each.
var routes = []func(*ishaa.App, options){
	addPages,
	addInputs,
	addForms,
	addClients,
	addStatic,
	addTemplates,
	addGraphQL,
	addQuery,
	addAccounts,
	addEnqueue,
	addSocket,
	addOpenAPI,
	addEcho,
}
