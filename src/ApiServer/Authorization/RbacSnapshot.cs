using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Authorization;

/// <summary>All roles and bindings as of one revision, indexed by who is bound. Immutable.</summary>
internal sealed class RbacSnapshot
{
    internal static readonly RbacSnapshot Empty = new([], [], [], [], 0);

    // A path may name namespaces that do not exist: what a user can make us remember is bounded.
    private const int MaxKnown = 1000;

    // What holds for a user in a namespace, gathered at the first request. It goes with the user (a connection, a token) or the snapshot.
    private readonly ConditionalWeakTable<UserInfo, ConcurrentDictionary<string, Grant[]>> _known = [];

    private readonly FrozenDictionary<RoleRef, IReadOnlyList<PolicyRule>> _roles;
    private readonly FrozenDictionary<Subject, Grant[]> _clusterGrants;
    private readonly FrozenDictionary<(string Namespace, Subject), Grant[]> _namespaceGrants;

    internal RbacSnapshot(
        IEnumerable<RoleFacts> clusterRoles, IEnumerable<RoleFacts> roles,
        IEnumerable<BindingFacts> clusterBindings, IEnumerable<BindingFacts> bindings, long revision)
    {
        Revision = revision;
        _roles = clusterRoles.Select(r => (Key: new RoleRef("ClusterRole", "", r.Name), r.Rules))
            .Concat(roles.Select(r => (Key: new RoleRef("Role", r.Namespace, r.Name), r.Rules)))
            .ToFrozenDictionary(r => r.Key, r => r.Rules);
        // By name, so that of several bindings that allow a request always the same one is named.
        _clusterGrants = Grants(clusterBindings).GroupBy(g => g.Subject).ToFrozenDictionary(g => g.Key, g => g.Select(x => x.Grant).ToArray());
        _namespaceGrants = Grants(bindings).GroupBy(g => (g.Grant.Binding.Namespace, g.Subject)).ToFrozenDictionary(g => g.Key, g => g.Select(x => x.Grant).ToArray());
    }

    /// <summary>The newest change that is in the snapshot.</summary>
    internal long Revision { get; }

    internal IReadOnlyList<PolicyRule>? Rules(RoleRef role) => _roles.GetValueOrDefault(role);

    internal AccessDecision Authorize(AccessAttributes attributes)
    {
        foreach (var grant in GrantsFor(attributes.User, attributes.Namespace))
        {
            if (grant.Rules is null)
                continue;
            foreach (var rule in grant.Rules)
            {
                if (rule.Allows(attributes))
                    return new AccessDecision(true, grant.Reason);
            }
        }

        // Worked out only for a refusal: a binding to a role that is gone is what its author wants to know.
        var missing = GrantsOf(attributes.User, attributes.Namespace).Where(g => g.Rules is null)
            .Select(g => $"{g.Binding.Role.Kind.ToLowerInvariant()}.{Rbac.Group} \"{g.Binding.Role.Name}\" not found").Distinct().ToList();
        return new AccessDecision(false, missing.Count switch { 0 => "", 1 => "RBAC: " + missing[0], _ => $"RBAC: [{string.Join(", ", missing)}]" });
    }

    /// <summary>Every rule that the user has in a namespace (empty: cluster-wide ones only).</summary>
    internal IReadOnlyList<PolicyRule> RulesOf(UserInfo user, string ns) => [.. GrantsOf(user, ns).SelectMany(g => g.Rules ?? [])];

    private Grant[] GrantsFor(UserInfo user, string ns)
    {
        var known = _known.GetValue(user, static _ => new());
        if (known.TryGetValue(ns, out var found))
            return found;
        found = [.. GrantsOf(user, ns)];
        if (known.Count < MaxKnown)
            known.TryAdd(ns, found);
        return found;
    }

    private IEnumerable<Grant> GrantsOf(UserInfo user, string ns)
    {
        // Cluster-wide bindings come first, as in Kubernetes: they also give the reason when both kinds allow.
        foreach (var subject in Subjects(user))
        {
            foreach (var grant in _clusterGrants.GetValueOrDefault(subject, []))
                yield return grant;
        }

        if (ns.Length == 0)
            yield break;
        foreach (var subject in Subjects(user))
        {
            foreach (var grant in _namespaceGrants.GetValueOrDefault((ns, subject), []))
                yield return grant;
        }
    }

    private static IEnumerable<Subject> Subjects(UserInfo user)
    {
        yield return new Subject(false, user.Name);
        foreach (var group in user.Groups)
            yield return new Subject(true, group);
    }

    private IEnumerable<(Subject Subject, Grant Grant)> Grants(IEnumerable<BindingFacts> bindings) =>
        from binding in bindings.OrderBy(b => b.Namespace, StringComparer.Ordinal).ThenBy(b => b.Name, StringComparer.Ordinal)
        from subject in binding.Subjects
        select (subject.Subject, new Grant(binding, subject.Text, _roles.GetValueOrDefault(binding.Role)));

    /// <param name="Rules">Null when the role does not exist.</param>
    private sealed record Grant(BindingFacts Binding, string SubjectText, IReadOnlyList<PolicyRule>? Rules)
    {
        /// <summary>Why a request was allowed by it.</summary>
        public string Reason { get; } = "RBAC: allowed by " + Binding.Describe(SubjectText);
    }
}
