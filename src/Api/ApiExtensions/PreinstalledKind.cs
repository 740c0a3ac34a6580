using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.ApiExtensions;

/// <summary>A column of tables.</summary>
/// <param name="Type">string, integer, number, boolean or date.</param>
/// <param name="Path">`.spec.hosts`.</param>
public sealed record PreinstalledColumn(string Name, string Type, string Path, string Description = "", int Priority = 0);

/// <summary>
/// A kind of a C# type that is served as a custom one: <see cref="CrdManifest"/> makes its definition, which the server installs where there is none. From then on
/// it is an ordinary definition, and who applies another one over it has that one.
/// </summary>
public sealed record PreinstalledKind(KindInfo Kind)
{
    public static PreinstalledKind Of<T>() where T : IObject => new(KindInfo.Of<T>());

    /// <summary>Sentences for `Warning:` headers about an object that is created or changed. Pure; the tree is as the definition's schema has it, which may be a user's.</summary>
    public Func<JsonObject, IEnumerable<string>> Warnings { get; init; } = _ => [];

    /// <summary>Served besides the type's own version, which is the stored one, with the same schema.</summary>
    public IReadOnlyList<string> OlderVersions { get; init; } = [];

    /// <summary>Older versions that answer with a warning, and the warning; null for Kubernetes' own sentence.</summary>
    public IReadOnlyDictionary<string, string?> Deprecated { get; init; } = new Dictionary<string, string?>();

    public IReadOnlyList<PreinstalledColumn> Columns { get; init; } = [];

    /// <summary>Paths of the wanted and the observed replicas, and of the selector: the kind has a scale subresource.</summary>
    public (string Spec, string Status, string? Selector)? Scale { get; init; }

    /// <summary>Of the definition. A group below k8s.io needs `api-approved.kubernetes.io`.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = Empty.Strings;
}
