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
        if (context.Subresource == "status" || tree.Object("spec") is not { } spec || old.Object("spec") is not { } before)
            return;
        ServiceDefaults.KeepAllocated(spec, before);
        // Without its type the service has no balancer, and its addresses are another's soon.
        if (spec.TextAt("type") != "LoadBalancer" && before.TextAt("type") == "LoadBalancer" && tree.Object("status") is { } status)
            status["loadBalancer"] = new JsonObject();
    }

    public override IEnumerable<string> OldForms(JsonObject tree)
    {
        if (tree.Object("spec") is { } spec && ServiceDefaults.IsNodePortWithoutType(spec))
            yield return "spec.ports[*].nodePort without spec.type: taken as type NodePort; write \"type: NodePort\"";
    }

    public override IEnumerable<string> Warnings(JsonObject tree, JsonObject? old)
    {
        if (tree.Object("spec") is not { } spec)
            yield break;
        if (spec.TextAt("clusterIP") == "None" && spec.TextAt("sessionAffinity") == "ClientIP")
            yield return "spec.sessionAffinity is ignored for headless services";
    }

    protected override string? NameRule(string name) => NameRules.Dns1035Label(name);

    protected override JsonObject InitialStatus(JsonObject tree) => new() { ["loadBalancer"] = new JsonObject() };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var spec = root["spec"];
        return context.Subresource == "status" ? [] : ServiceValidation.Validate(spec).Concat(ServiceValidation.Update(spec, old?["spec"]));
    }
}
