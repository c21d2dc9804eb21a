// Package openfeature lets code ask through OpenFeature in which reality a subject is. A flag is an experiment, named by
// its route; its value is the name of the reality. The evaluation context's targeting key is the user, as
// rmf.Options.Subject names one.
//
//	err := openfeature.SetProviderAndWait(ishaaopenfeature.New(realities))
//	client := openfeature.NewClient("shop")
//	reality, err := client.StringValue(ctx, "GET /recommend", "stable", openfeature.NewEvaluationContext("ada", nil))
//
// A boolean flag "GET /recommend=experimental" asks whether the subject is in that reality. Asking counts nothing: what
// is evidence is what the route answers. Providers for other kinds of values return the default.
package openfeature

import (
	"context"
	"strings"

	sdk "github.com/open-feature/go-sdk/openfeature"

	"github.com/ishaa-framework/ishaa/rmf"
)

// Provider answers from the realities of an application. It is safe for concurrent use.
type Provider struct{ realities *rmf.Realities }

// New returns a provider for an application's realities. It answers once the application has started.
func New(realities *rmf.Realities) *Provider { return &Provider{realities} }

var _ sdk.FeatureProvider = (*Provider)(nil)

// Metadata names the provider.
func (*Provider) Metadata() sdk.Metadata { return sdk.Metadata{Name: "ishaa-rmf"} }

// Hooks returns none.
func (*Provider) Hooks() []sdk.Hook { return nil }

// ask finds the reality of the context's subject.
func (p *Provider) ask(flag string, flat sdk.FlattenedContext) (string, sdk.ProviderResolutionDetail) {
	subject, _ := flat[sdk.TargetingKey].(string)
	if subject == "" {
		return "", failed(sdk.NewTargetingKeyMissingResolutionError("the lot is drawn for a user: give their id as the targeting key"))
	}
	reality, err := p.realities.Ask(flag, subject)
	if err != nil {
		return "", failed(sdk.NewFlagNotFoundResolutionError(err.Error()))
	}
	return reality, sdk.ProviderResolutionDetail{Reason: sdk.SplitReason, Variant: reality}
}

func failed(err sdk.ResolutionError) sdk.ProviderResolutionDetail {
	return sdk.ProviderResolutionDetail{ResolutionError: err, Reason: sdk.ErrorReason}
}

func mismatch() sdk.ProviderResolutionDetail {
	return failed(sdk.NewTypeMismatchResolutionError("an experiment's value is the name of a reality; ask for a string, or for the boolean EXPERIMENT=REALITY"))
}

// StringEvaluation gives the name of the subject's reality.
func (p *Provider) StringEvaluation(_ context.Context, flag string, defaultValue string, flat sdk.FlattenedContext) sdk.StringResolutionDetail {
	reality, detail := p.ask(flag, flat)
	if reality == "" {
		reality = defaultValue
	}
	return sdk.StringResolutionDetail{Value: reality, ProviderResolutionDetail: detail}
}

// BooleanEvaluation tells whether the subject is in the reality of "EXPERIMENT=REALITY".
func (p *Provider) BooleanEvaluation(_ context.Context, flag string, defaultValue bool, flat sdk.FlattenedContext) sdk.BoolResolutionDetail {
	cut := strings.LastIndexByte(flag, '=')
	if cut < 0 {
		return sdk.BoolResolutionDetail{Value: defaultValue, ProviderResolutionDetail: mismatch()}
	}
	reality, detail := p.ask(flag[:cut], flat)
	if reality == "" {
		return sdk.BoolResolutionDetail{Value: defaultValue, ProviderResolutionDetail: detail}
	}
	return sdk.BoolResolutionDetail{Value: reality == flag[cut+1:], ProviderResolutionDetail: detail}
}

// FloatEvaluation returns the default.
func (p *Provider) FloatEvaluation(_ context.Context, _ string, defaultValue float64, _ sdk.FlattenedContext) sdk.FloatResolutionDetail {
	return sdk.FloatResolutionDetail{Value: defaultValue, ProviderResolutionDetail: mismatch()}
}

// IntEvaluation returns the default.
func (p *Provider) IntEvaluation(_ context.Context, _ string, defaultValue int64, _ sdk.FlattenedContext) sdk.IntResolutionDetail {
	return sdk.IntResolutionDetail{Value: defaultValue, ProviderResolutionDetail: mismatch()}
}

// ObjectEvaluation returns the default.
func (p *Provider) ObjectEvaluation(_ context.Context, _ string, defaultValue any, _ sdk.FlattenedContext) sdk.InterfaceResolutionDetail {
	return sdk.InterfaceResolutionDetail{Value: defaultValue, ProviderResolutionDetail: mismatch()}
}
