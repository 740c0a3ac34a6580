using Weft.Client;

namespace Weft.Cli.Objects;

/// <summary>Turns what a person types (`deploy`, `Deployment`, `deployments.apps`) into a resource of the server.</summary>
public static class ResourceNames
{
    /// <exception cref="CommandException">The server serves nothing of that name.</exception>
    public static ApiResource Resolve(IReadOnlyList<ApiResource> resources, string typed) =>
        resources.FirstOrDefault(resource => Matches(resource, typed))
        ?? throw new CommandException($"the server has no resource type '{typed}'{Suggest(resources, typed)}");

    /// <summary>`pod/web-1`, or the two apart.</summary>
    public static (string Type, string? Name) Split(string typed, string? name) =>
        name is null && typed.Split('/') is [var type, var part] ? (type, part) : (typed, name);

    private static bool Matches(ApiResource resource, string typed) =>
        Same(resource.Resource.Resource, typed) || Same(resource.Resource.Qualified, typed) || Same(resource.Kind, typed)
        || resource.Aliases.Any(alias => Same(alias, typed));

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private static string Suggest(IReadOnlyList<ApiResource> resources, string typed)
    {
        var near = resources.FirstOrDefault(resource => typed.Length > 2 && resource.Resource.Resource.StartsWith(typed[..3], StringComparison.OrdinalIgnoreCase));
        return near is null ? "" : $"; did you mean '{near.Resource.Resource}'?";
    }
}

/// <summary>A command cannot be carried out; the message is for the user.</summary>
public sealed class CommandException(string message) : Exception(message);
