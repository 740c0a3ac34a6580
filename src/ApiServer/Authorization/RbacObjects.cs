using System.Text.Json.Nodes;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Authorization;

internal static class Rbac
{
    internal const string Group = "rbac.authorization.k8s.io";
    internal const string Roles = "roles";
    internal const string ClusterRoles = "clusterroles";
    internal const string RoleBindings = "rolebindings";
    internal const string ClusterRoleBindings = "clusterrolebindings";
}

/// <param name="Namespace">Empty for a ClusterRole.</param>
internal sealed record RoleRef(string Kind, string Namespace, string Name);

/// <summary>A subject of a binding. A service account is the user it is known by.</summary>
internal readonly record struct Subject(bool IsGroup, string Name);

/// <summary>A role with its rules, or a binding with its subjects; what a snapshot keeps of the stored objects.</summary>
internal sealed record RoleFacts(string Namespace, string Name, IReadOnlyList<PolicyRule> Rules)
{
    internal static RoleFacts Read(JsonObject tree) => new(Metadata.Namespace(tree), Metadata.Name(tree), PolicyRule.ReadAll(tree));
}

internal sealed record BindingFacts(string Namespace, string Name, RoleRef Role, IReadOnlyList<(Subject Subject, string Text)> Subjects)
{
    internal static BindingFacts Read(JsonObject tree)
    {
        var ns = Metadata.Namespace(tree);
        var subjects = tree["subjects"] is JsonArray list ? list.OfType<JsonObject>().Select(s => ReadSubject(s, ns)).OfType<(Subject, string)>() : [];
        return new BindingFacts(ns, Metadata.Name(tree), ReadRole(tree, ns), [.. subjects]);
    }

    internal static RoleRef ReadRole(JsonObject binding, string ns)
    {
        var reference = binding["roleRef"] as JsonObject;
        var kind = Metadata.Text(reference, "kind");
        return new RoleRef(kind, kind == "Role" ? ns : "", Metadata.Text(reference, "name"));
    }

    private static (Subject, string)? ReadSubject(JsonObject subject, string bindingNamespace)
    {
        var name = Metadata.Text(subject, "name");
        var ns = Metadata.Text(subject, "namespace") is { Length: > 0 } given ? given : bindingNamespace;
        return Metadata.Text(subject, "kind") switch
        {
            "User" => (new Subject(false, name), $"User \"{name}\""),
            "Group" => (new Subject(true, name), $"Group \"{name}\""),
            "ServiceAccount" when ns.Length > 0 => (new Subject(false, ServiceAccountNames.User(ns, name)), $"ServiceAccount \"{name}/{ns}\""),
            _ => null,
        };
    }

    /// <summary>`RoleBinding "name/namespace" of ClusterRole "view" to User "x"`.</summary>
    internal string Describe(string subject) => Namespace.Length == 0
        ? $"ClusterRoleBinding \"{Name}\" of {Role.Kind} \"{Role.Name}\" to {subject}"
        : $"RoleBinding \"{Name}/{Namespace}\" of {Role.Kind} \"{Role.Name}\" to {subject}";
}
