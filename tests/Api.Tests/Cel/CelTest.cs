using System.Text.Json.Nodes;
using Weft.Api.Cel;
using Weft.Api.Schemas;

namespace Weft.Api.Tests.Cel;

/// <summary>Compiles and evaluates with two variables: `self` of a schema, and `data` without one.</summary>
internal static class CelTest
{
    private const string Spec = """
        {"type":"object","properties":{
          "n":{"type":"integer"},"d":{"type":"number"},"s":{"type":"string"},"b":{"type":"boolean"},"when":{"type":"string","format":"date-time"},
          "span":{"type":"string","format":"duration"},"raw":{"type":"string","format":"byte"},"any":{"x-kubernetes-int-or-string":true},
          "list":{"type":"array","items":{"type":"integer"}},"words":{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"},
          "map":{"type":"object","additionalProperties":{"type":"string"}},"dash-ed":{"type":"integer"},"namespace":{"type":"string"},"a__b":{"type":"integer"},"x.y/z":{"type":"integer"},
          "items":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"},"v":{"type":"integer"}}}},
          "maybe":{"type":"string","nullable":true},"inner":{"type":"object","properties":{"deep":{"type":"string"}}},"free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}
        """;

    private const string Self = """
        {"n":3,"d":2,"s":"hello","b":true,"when":"2024-05-06T07:08:09.5Z","span":"1h30m","raw":"YWJj","any":5,"list":[3,1,2],"words":["a","b"],
         "map":{"k":"v","x-y":"z"},"dash-ed":1,"namespace":"ns","a__b":2,"x.y/z":4,"items":[{"k":"one","v":1},{"k":"two","v":2}],"maybe":null,"inner":{},"free":{"hidden":1}}
        """;

    public static readonly Schema Schema = CrdSchema.FromCrd((JsonObject)JsonNode.Parse(Spec)!);

    private static readonly Dictionary<string, CelType> Variables = new() { ["self"] = CelType.Of(Schema)!, ["data"] = CelType.Dyn };

    public static (CelProgram? Program, IReadOnlyList<CelError> Errors) Compile(string text) => CelProgram.Compile(text, Variables);

    public static CelOutcome Run(string text, long budget = CelLimits.PerExpression)
    {
        var (program, errors) = Compile(text);
        Assert.True(program is not null, $"{text}: {string.Join("; ", errors.Select(error => error.In(text)))}");
        return program.Evaluate(budget, ("self", CelInput.Of(JsonNode.Parse(Self), Schema)), ("data", CelInput.Of(JsonNode.Parse(Self))));
    }

    public static void Holds(string text)
    {
        var outcome = Run(text);
        Assert.True(outcome.IsTrue, $"{text}: {outcome.Error ?? outcome.Value?.ToString() ?? "null"}");
    }
}
