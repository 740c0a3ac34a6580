using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Rbac;

/// <summary>RoleBinding and ClusterRoleBinding.</summary>
internal sealed class BindingStrategy(bool namespaced) : DefaultStrategy
{
    private const string Group = "rbac.authorization.k8s.io";

    public override bool Namespaced => namespaced;
    public override bool HasStatus => false;

    public override void Default(JsonObject tree)
    {
        tree.Object("roleRef")?.Default("apiGroup", Group);
        foreach (var subject in tree.Objects("subjects"))
        {
            if (subject.TextAt("kind") is "User" or "Group")
                subject.Default("apiGroup", Group);
        }
    }

    protected override string? NameRule(string name) => NameRules.PathSegment(name);

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context) =>
        Role(root["roleRef"]).Concat(root["subjects"].Each(Subject));

    private IEnumerable<FieldError> Role(Field role)
    {
        if (role["apiGroup"].Text is not (null or Group))
            yield return role["apiGroup"].Unsupported([Group]);
        string[] kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
        if (role["kind"].Text is { } kind && !kinds.Contains(kind))
            yield return role["kind"].Unsupported(kinds);
        foreach (var error in Rules.Named(role["name"], NameRules.PathSegment))
            yield return error;
    }

    private static IEnumerable<FieldError> Subject(Field subject)
    {
        var (group, name) = (subject["apiGroup"], subject["name"]);
        if (name.IsBlank)
            yield return name.Required();
        switch (subject["kind"].Text)
        {
            case "ServiceAccount":
                if (name.TextOrEmpty.Length > 0 && NameRules.DnsSubdomain(name.TextOrEmpty) is { } wrong)
                    yield return name.Invalid(wrong);
                if (group.TextOrEmpty.Length > 0)
                    yield return group.Unsupported([""]);
                if (subject["namespace"].TextOrEmpty.Length == 0)
                    yield return subject["namespace"].Required();
                break;
            case "User" or "Group":
                if (group.Text != Group)
                    yield return group.Unsupported([Group]);
                break;
            default:
                yield return subject["kind"].Unsupported(["ServiceAccount", "User", "Group"]);
                break;
        }
    }
}
