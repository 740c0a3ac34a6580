using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Weft.Control.Mesh.Diagnostics;

namespace Weft.Cli.Mesh;

/// <summary>A diagnostic as it is shown.</summary>
/// <param name="Severity">`error`, `unsupported` or `warning`.</param>
/// <param name="Object">`VirtualService shop/web`.</param>
/// <param name="Advice">What to do, where that is known.</param>
internal sealed record MeshFinding(string Severity, string Object, string Kind, string Namespace, string Name, string Field, string Message, string? Advice)
{
    public static MeshFinding Of(MeshDiagnostic problem)
    {
        // The compiler's sentences say what is wrong, and behind the first semicolon what to do.
        var cut = problem.Message.IndexOf("; ", StringComparison.Ordinal);
        return new(
            problem.Severity.ToString().ToLowerInvariant(), problem.Object.Namespace.Length == 0 ? $"{problem.Object.Kind} {problem.Object.Name}" : problem.Object.ToString(),
            problem.Object.Kind, problem.Object.Namespace, problem.Object.Name, problem.Field,
            cut < 0 ? problem.Message : problem.Message[..cut], cut < 0 ? null : problem.Message[(cut + 2)..]);
    }

    public static string ToJson(IEnumerable<MeshDiagnostic> problems) => JsonSerializer.Serialize([.. problems.Select(Of)], new MeshFindingJson(Readable).MeshFindingArray);

    private static JsonSerializerOptions Readable => new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
}

[JsonSerializable(typeof(MeshFinding[]))]
internal sealed partial class MeshFindingJson : JsonSerializerContext;
