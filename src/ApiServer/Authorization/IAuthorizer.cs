using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Authorization;

/// <summary>What someone wants to do. For a resource request <see cref="Path"/> is empty, for any other only Verb and Path are set.</summary>
public sealed record AccessAttributes(UserInfo User, string Verb)
{
    public string Group { get; init; } = "";
    public string Version { get; init; } = "";
    public string Resource { get; init; } = "";
    public string Subresource { get; init; } = "";
    public string Namespace { get; init; } = "";
    public string Name { get; init; } = "";
    public string Path { get; init; } = "";
    public bool IsResource => Path.Length == 0;
}

/// <param name="Reason">Which rule allowed it, or why not: shown to the user.</param>
public readonly record struct AccessDecision(bool Allowed, string Reason);

public interface IAuthorizer
{
    ValueTask<AccessDecision> AuthorizeAsync(AccessAttributes attributes, CancellationToken cancellationToken);
}
