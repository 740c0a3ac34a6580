namespace Weft.Api.Apply;

/// <summary>Who writes, and through what.</summary>
/// <param name="Name">`fieldManager` of the request, or <see cref="DefaultName"/>.</param>
/// <param name="ApiVersion">In which the fields are named: `apps/v1`.</param>
/// <param name="Subresource">Empty, `status`, `scale`.</param>
/// <param name="HasStatus">The kind has a status subresource, so a write to the object itself does not own its status.</param>
public sealed record FieldManager(string Name, string ApiVersion, string Subresource = "", bool HasStatus = false)
{
    // The longest name that the API accepts.
    public const int MaxNameLength = 128;

    /// <summary>The name of a client that gives none: its user agent up to the first slash.</summary>
    public static string DefaultName(string? userAgent)
    {
        var name = (userAgent ?? "").Split('/')[0];
        name = new string([.. name.Where(c => !char.IsControl(c))]);
        if (name.Length == 0)
            return "unknown";
        return name.Length <= MaxNameLength ? name : name[..MaxNameLength];
    }

    /// <summary>Leaves what this kind of write may own. Identity and what the server counts belong to nobody.</summary>
    internal FieldSet Track(FieldSet set)
    {
        var status = FieldSet.OfFields("status");
        set = set.Difference(NeverTracked);
        if (Subresource == "status")
            return set.Difference(set.RecursiveDifference(status));
        return Subresource.Length == 0 && HasStatus ? set.RecursiveDifference(status) : set;
    }

    // As in Kubernetes' stripMetaManager; `metadata` and the rest are taken out as fields of their own, not what lies below them.
    private static readonly FieldSet NeverTracked = FieldSet.OfFields("apiVersion")
        .Union(FieldSet.OfFields("kind"))
        .Union(FieldSet.OfFields("metadata"))
        .Union(FieldSet.OfFields("metadata", "name"))
        .Union(FieldSet.OfFields("metadata", "namespace"))
        .Union(FieldSet.OfFields("metadata", "creationTimestamp"))
        .Union(FieldSet.OfFields("metadata", "selfLink"))
        .Union(FieldSet.OfFields("metadata", "uid"))
        .Union(FieldSet.OfFields("metadata", "clusterName"))
        .Union(FieldSet.OfFields("metadata", "generation"))
        .Union(FieldSet.OfFields("metadata", "managedFields"))
        .Union(FieldSet.OfFields("metadata", "resourceVersion"));
}
