using System.Text.Json.Nodes;
using Weft.Api.Cel;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Webhooks;

/// <summary>One rule of a policy.</summary>
internal sealed record PolicyValidation(CelProgram Program, string? Message, CelProgram? MessageExpression, string Reason);

/// <summary>A policy, compiled once.</summary>
/// <param name="Problem">Why it cannot be evaluated (an older server took it), or null.</param>
internal sealed record AdmissionPolicy(
    string Name, bool Ignores, AdmissionRules Rules, IReadOnlyList<(string Name, CelProgram Program)> Conditions, IReadOnlyList<(string Name, CelProgram Program)> Variables,
    IReadOnlyList<PolicyValidation> Validations, IReadOnlyList<(string Key, CelProgram Program)> Annotations, string? ParamApiVersion, string? ParamKind, string? Problem)
{
    public static AdmissionPolicy Read(JsonObject tree)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        var known = AdmissionExpressions.PolicyVariables.ToDictionary();
        if (spec["paramKind"] is JsonObject)
            known["params"] = CelType.Dyn;
        string? problem = null;
        var (conditions, wrong) = Webhook.ReadConditions(spec["matchConditions"], known);
        problem ??= wrong;

        known["variables"] = CelType.Dyn;
        var variables = new List<(string, CelProgram)>();
        foreach (var variable in Items(spec, "variables"))
        {
            if (Compile(variable["expression"]) is { } program)
                variables.Add((variable["name"].AsText() ?? "", program));
        }
        var validations = new List<PolicyValidation>();
        foreach (var validation in Items(spec, "validations"))
        {
            if (Compile(validation["expression"]) is { } program)
                validations.Add(new PolicyValidation(program, validation["message"].AsText(), validation["messageExpression"] is { } made ? Compile(made) : null, validation["reason"].AsText() ?? "Invalid"));
        }
        var annotations = new List<(string, CelProgram)>();
        foreach (var annotation in Items(spec, "auditAnnotations"))
        {
            if (Compile(annotation["valueExpression"]) is { } program)
                annotations.Add((annotation["key"].AsText() ?? "", program));
        }
        return new AdmissionPolicy(Metadata.Name(tree), spec["failurePolicy"].AsText() == "Ignore", AdmissionRules.Read(spec["matchConstraints"] as JsonObject ?? [], "resourceRules"), conditions,
            variables, validations, annotations, spec.At("paramKind", "apiVersion").AsText(), spec.At("paramKind", "kind").AsText(), problem);

        CelProgram? Compile(JsonNode? expression)
        {
            var (program, errors) = CelProgram.Compile(expression.AsText() ?? "", known);
            problem ??= errors.Count > 0 ? $"expression '{expression.AsText()}': {errors[0].Message}" : null;
            return program;
        }
    }

    private static IEnumerable<JsonObject> Items(JsonObject spec, string name) => (spec[name] as JsonArray ?? []).OfType<JsonObject>();
}

/// <summary>A binding.</summary>
internal sealed record PolicyBinding(string Name, string Policy, AdmissionRules? Rules, IReadOnlyList<string> Actions, JsonObject? ParamRef)
{
    public static PolicyBinding Read(JsonObject tree)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        return new(Metadata.Name(tree), spec["policyName"].AsText() ?? "", spec["matchResources"] is JsonObject matches ? AdmissionRules.Read(matches, "resourceRules") : null,
            Metadata.Strings(spec, "validationActions"), spec["paramRef"] as JsonObject);
    }
}
