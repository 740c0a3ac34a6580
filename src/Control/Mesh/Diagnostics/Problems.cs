using Weft.Api;

namespace Weft.Control.Mesh.Diagnostics;

/// <summary>Gathers what is wrong with one object; nothing stops at the first.</summary>
internal sealed class Problems(ObjectRef about, List<MeshDiagnostic> to)
{
    public int Errors { get; private set; }

    public static ObjectRef RefOf(IObject value) => new(KindInfo.Of(value.GetType()).Kind.Kind, value.Metadata.Namespace ?? "", value.Metadata.Name ?? "");

    public static Problems Of(IObject value, List<MeshDiagnostic> to) => new(RefOf(value), to);

    public void Error(string field, string message) => Add(field, Severity.Error, message);

    public void Warn(string field, string message) => Add(field, Severity.Warning, message);

    public void Unsupported(string field, string message) => Add(field, Severity.Unsupported, message);

    /// <summary>A setting that this mesh does not know, and that takes the effect from the part of the object where it stands; `spec`: from all of it (<see cref="Effects"/>).</summary>
    public void Ineffective(string part, string field, string message) => to.Add(new(about, field, Severity.Unsupported, message) { Lost = part, Reason = Effects.Unsupported });

    /// <summary>What a part of the object is for is not there; an object that is for nothing else has no effect.</summary>
    public void NoTarget(string part, string field, string message) => to.Add(new(about, field, Severity.Unsupported, message) { Lost = part, Reason = Effects.TargetNotFound });

    /// <summary>For each setting that is there and does nothing.</summary>
    public void UnsupportedIf(bool isThere, string field, string instead)
    {
        if (isThere)
            Unsupported(field, instead);
    }

    private void Add(string field, Severity severity, string message)
    {
        if (severity == Severity.Error)
            Errors++;
        to.Add(new(about, field, severity, message));
    }
}
