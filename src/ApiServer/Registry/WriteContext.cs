using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Registry;

internal enum FieldValidation { Ignore, Warn, Strict }

/// <summary>Everything about a write but its body.</summary>
internal sealed record WriteContext(ResourceInfo Resource, UserInfo User, string Namespace, string Name, DateTimeOffset Now)
{
    public string Subresource { get; init; } = "";
    public bool DryRun { get; init; }

    /// <summary>The object comes from server-side apply, which has already set the managed fields.</summary>
    public bool IsApply { get; init; }
    /// <summary>
    /// The server's own write at its start. What users added to admission is not asked: a webhook whose pods are not there yet would keep the server, and so them, from starting.
    /// </summary>
    public bool IsOwn { get; init; }
    public FieldValidation Validation { get; init; } = FieldValidation.Warn;
    public required string FieldManager { get; init; }

    /// <summary>Takes sentences for `Warning:` headers.</summary>
    public required Action<string> Warn { get; init; }

    public StrategyContext ForStrategy => new(User, Subresource, Namespace, Now) { IsOwn = IsOwn };
    public string Key => Keys.Of(Resource, Namespace, Name);
}

/// <summary>What must hold of the stored object for a write to go through.</summary>
internal sealed record Demands(string? Uid, string? ResourceVersion)
{
    public static Demands None { get; } = new(null, null);
}
