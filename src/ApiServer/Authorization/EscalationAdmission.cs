using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Authorization;

/// <summary>
/// Who writes a role must hold every right in it, or `escalate` on roles; who writes a binding must hold every right of its role, or `bind` on that role.
/// Else the right to write roles would be the right to everything.
/// </summary>
public sealed class EscalationAdmission(RbacFeed feed, IAuthorizer authorizer) : IAdmission
{
    private static readonly PolicyRule[] Everything =
    [
        new() { Verbs = ["*"], ApiGroups = ["*"], Resources = ["*"] },
        new() { Verbs = ["*"], NonResourceUrls = ["*"] },
    ];

    public string Name => "RBACEscalation";

    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request.Resource.Group != Rbac.Group || request.Subresource.Length > 0 || request.Object is not { } tree
            || request.Operation is not (AdmissionOperation.Create or AdmissionOperation.Update) || request.User.Groups.Contains(UserInfo.Masters))
            return;
        switch (request.Resource.Resource)
        {
            case Rbac.Roles or Rbac.ClusterRoles:
                await CheckRoleAsync(request, tree, cancellationToken);
                break;
            case Rbac.RoleBindings or Rbac.ClusterRoleBindings:
                await CheckBindingAsync(request, tree, cancellationToken);
                break;
        }
    }

    private async ValueTask CheckRoleAsync(AdmissionRequest request, JsonObject tree, CancellationToken cancellationToken)
    {
        var rulesChanged = !JsonNode.DeepEquals(tree["rules"], request.OldObject?["rules"]);
        var aggregationChanged = tree["aggregationRule"] is { } aggregation && !JsonNode.DeepEquals(aggregation, request.OldObject?["aggregationRule"]);
        if (!rulesChanged && !aggregationChanged)
            return;
        if (await MayAsync(request, "escalate", request.Resource.Resource, request.Name, cancellationToken))
            return;

        var held = await HeldAsync(request, cancellationToken);
        // Nobody can say today what rules labels will gather tomorrow.
        if (aggregationChanged && RuleCoverage.Missing(held, Everything).Count > 0)
            throw Statuses.Forbidden(request.Resource, request.Name, "must have cluster-admin privileges to use the aggregationRule");
        RequireHeld(request, held, PolicyRule.ReadAll(tree));
    }

    private async ValueTask CheckBindingAsync(AdmissionRequest request, JsonObject tree, CancellationToken cancellationToken)
    {
        if (request.OldObject is { } old && JsonNode.DeepEquals(tree["roleRef"], old["roleRef"]) && JsonNode.DeepEquals(tree["subjects"], old["subjects"]))
            return;
        var role = BindingFacts.ReadRole(tree, request.Resource.Resource == Rbac.RoleBindings ? request.Namespace : "");
        var resource = role.Kind == "Role" ? Rbac.Roles : Rbac.ClusterRoles;
        if (await MayAsync(request, "bind", resource, role.Name, cancellationToken))
            return;

        var rules = (await feed.LatestAsync(cancellationToken)).Rules(role)
            ?? throw Statuses.NotFound(new GroupVersionResource(Rbac.Group, "v1", resource), role.Name);
        RequireHeld(request, await HeldAsync(request, cancellationToken), rules);
    }

    private async ValueTask<bool> MayAsync(AdmissionRequest request, string verb, string resource, string name, CancellationToken cancellationToken)
    {
        var attributes = new AccessAttributes(request.User, verb)
        {
            Group = Rbac.Group, Version = "v1", Resource = resource, Namespace = request.Namespace, Name = name,
        };
        return (await authorizer.AuthorizeAsync(attributes, cancellationToken)).Allowed;
    }

    private async ValueTask<IReadOnlyList<PolicyRule>> HeldAsync(AdmissionRequest request, CancellationToken cancellationToken) =>
        (await feed.LatestAsync(cancellationToken)).RulesOf(request.User, request.Namespace);

    private static void RequireHeld(AdmissionRequest request, IReadOnlyList<PolicyRule> held, IReadOnlyList<PolicyRule> wanted)
    {
        var missing = RuleCoverage.Missing(held, wanted);
        if (missing.Count == 0)
            return;
        var groups = string.Join(" ", request.User.Groups.Select(g => $"\"{g}\""));
        throw Statuses.Forbidden(request.Resource, request.Name,
            $"user \"{request.User.Name}\" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n{string.Join("\n", missing)}");
    }
}
