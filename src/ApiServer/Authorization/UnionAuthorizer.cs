using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Authorization;

/// <summary>`system:masters` may do everything, so that no broken role locks everybody out; else the first authorizer that allows decides.</summary>
public sealed class UnionAuthorizer(params IReadOnlyList<IAuthorizer> authorizers) : IAuthorizer
{
    public async ValueTask<AccessDecision> AuthorizeAsync(AccessAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.User.Groups.Contains(UserInfo.Masters))
            return new AccessDecision(true, "");

        var reasons = new List<string>();
        foreach (var authorizer in authorizers)
        {
            var decision = await authorizer.AuthorizeAsync(attributes, cancellationToken);
            if (decision.Allowed)
                return decision;
            if (decision.Reason.Length > 0)
                reasons.Add(decision.Reason);
        }

        return new AccessDecision(false, string.Join(", ", reasons));
    }
}
