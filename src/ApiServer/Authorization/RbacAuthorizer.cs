namespace Weft.ApiServer.Authorization;

/// <summary>Roles and bindings. Without a rule that allows, the answer is no.</summary>
public sealed class RbacAuthorizer(RbacFeed feed) : IAuthorizer
{
    public ValueTask<AccessDecision> AuthorizeAsync(AccessAttributes attributes, CancellationToken cancellationToken)
    {
        var decision = feed.Current.Authorize(attributes);
        return decision.Allowed ? new(decision) : AskLatestAsync(attributes, cancellationToken);
    }

    private async ValueTask<AccessDecision> AskLatestAsync(AccessAttributes attributes, CancellationToken cancellationToken) =>
        (await feed.LatestAsync(cancellationToken)).Authorize(attributes);
}
