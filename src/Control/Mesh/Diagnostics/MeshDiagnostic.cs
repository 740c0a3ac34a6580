namespace Weft.Control.Mesh.Diagnostics;

public enum Severity
{
    /// <summary>It works, and will not for ever or not as one may think.</summary>
    Warning,
    /// <summary>A setting that this mesh does not know yet: it has no effect, or closes what it was to open.</summary>
    Unsupported,
    /// <summary>What is at the field has no effect, or closes what it was to open.</summary>
    Error,
}

/// <summary>An object by kind, namespace and name.</summary>
public sealed record ObjectRef(string Kind, string Namespace, string Name)
{
    public override string ToString() => $"{Kind} {Namespace}/{Name}";
}

/// <param name="Field">`spec.http[0].match[1].uri.regex`.</param>
/// <param name="Message">What is wrong and what to do.</param>
public sealed record MeshDiagnostic(ObjectRef Object, string Field, Severity Severity, string Message)
{
    /// <summary>The part of the object that has no effect by it, as a whole: `spec.servers[0]`, or `spec`; null: what is at the field alone.</summary>
    public string? Lost { get; init; }

    /// <summary>That the condition gives, in Gateway API's words; null: Invalid.</summary>
    public string? Reason { get; init; }

    public override string ToString() => $"{Severity.ToString().ToLowerInvariant()} {Object} {Field}: {Message}";
}
