using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

internal sealed class NamespaceStrategy : DefaultStrategy
{
    private const string NameLabel = "kubernetes.io/metadata.name";

    public override bool Namespaced => false;

    public override IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } = new Dictionary<string, Func<JsonObject, string>>
    {
        ["status.phase"] = ns => ns.TextAt("status", "phase"),
    }.ToFrozenDictionary();

    public override void Default(JsonObject tree)
    {
        // Selectors can rely on this label: it is always there and always true.
        if (tree.Object("metadata") is { } meta && meta.TextAt("name") is { Length: > 0 } name && meta.Ensure("labels") is { } labels)
            labels[NameLabel] = name;
    }

    public override void PrepareForCreate(JsonObject tree, StrategyContext context)
    {
        base.PrepareForCreate(tree, context);
        if (tree.Ensure("spec") is not { } spec)
            return;
        // Holds the namespace until the namespace controller has emptied it.
        var finalizers = spec["finalizers"] as JsonArray ?? [];
        if (!finalizers.Any(item => item?.GetValueKind() == System.Text.Json.JsonValueKind.String && item.GetValue<string>() == "kubernetes"))
            finalizers.Add("kubernetes");
        if (finalizers.Parent is null)
            spec["finalizers"] = finalizers;
    }

    public override void PrepareForUpdate(JsonObject tree, JsonObject old, StrategyContext context)
    {
        if (context.Subresource == "finalize")
            KeepAllBut("spec", tree, old);
        else
        {
            base.PrepareForUpdate(tree, old, context);
            if (tree.Ensure("spec") is { } spec)
                spec.TakeFrom(old.Object("spec") ?? [], "finalizers");
        }
    }

    protected override string? NameRule(string name) => NameRules.DnsLabel(name);

    protected override JsonObject InitialStatus(JsonObject tree) => new() { ["phase"] = "Active" };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context) =>
        root["spec"]["finalizers"].Each(finalizer => Rules.Named(finalizer, NameRules.QualifiedName));
}
