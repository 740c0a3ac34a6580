using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Networking;

/// <summary>Addresses and node ports are given by the registry's allocator, between Prepare and Validate.</summary>
internal sealed class ServiceStrategy : DefaultStrategy
{
    public override void Default(JsonObject tree)
    {
        if (tree.Ensure("spec") is { } spec)
            ServiceDefaults.Apply(spec);
    }

    public override void PrepareForUpdate(JsonObject tree, JsonObject old, StrategyContext context)
    {
        base.PrepareForUpdate(tree, old, context);
        if (context.Subresource != "status" && tree.Object("spec") is { } spec && old.Object("spec") is { } before)
            ServiceDefaults.KeepAllocated(spec, before);
    }

    protected override string? NameRule(string name) => NameRules.Dns1035Label(name);

    protected override JsonObject InitialStatus(JsonObject tree) => new() { ["loadBalancer"] = new JsonObject() };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var spec = root["spec"];
        return context.Subresource == "status" ? [] : ServiceValidation.Validate(spec).Concat(ServiceValidation.Update(spec, old?["spec"]));
    }
}
