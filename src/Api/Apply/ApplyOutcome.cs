using System.Text.Json.Nodes;

namespace Weft.Api.Apply;

/// <summary>What an apply gives: an object or conflicts.</summary>
/// <param name="Object">The object to be admitted and stored, with its managedFields; null when there are conflicts.</param>
/// <param name="Changed">False when neither a field nor an owner changes: nothing needs to be written, and no time stamp moves.</param>
public sealed record ApplyOutcome(JsonObject? Object, bool Changed, IReadOnlyList<FieldConflict> Conflicts);
