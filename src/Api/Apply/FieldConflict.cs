namespace Weft.Api.Apply;

/// <summary>A field that another manager owns with another value.</summary>
/// <param name="Manager">As messages name the owner: `"kubectl-client-side-apply" using apps/v1`.</param>
/// <param name="Field">`.spec.replicas`.</param>
public sealed record FieldConflict(string Manager, string Field)
{
    /// <summary>Message of the cause in the Status; its reason is FieldManagerConflict.</summary>
    public string Message => $"conflict with {Manager}";

    /// <summary>Message of the whole answer (409 Conflict), as kubectl prints it.</summary>
    public static string Summary(IReadOnlyList<FieldConflict> conflicts)
    {
        if (conflicts.Count == 1)
            return $"Apply failed with 1 conflict: {conflicts[0].Message}: {conflicts[0].Field}";
        var lines = new List<string>();
        foreach (var owner in conflicts.GroupBy(c => c.Manager).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            lines.Add($"conflicts with {owner.Key}:");
            lines.AddRange(owner.Select(c => "- " + c.Field));
        }
        return $"Apply failed with {conflicts.Count} conflicts: {string.Join('\n', lines)}";
    }
}
