using Weft.Storage.Tree;

namespace Weft.Storage.Writing;

/// <summary>Decides commits one after the other on top of a snapshot. Pure: what it decided counts once the driver has made it durable.</summary>
internal sealed class Group(Snapshot from, long owner)
{
    private readonly TreeEdit _edit = new(from.Root, owner);
    private long _revision = from.Revision;

    public List<ChangeBatch> Batches { get; } = [];

    public Snapshot Result => new(_edit.Root, _revision);

    public CommitResult Decide(ReadOnlySpan<Op> operations)
    {
        if (Check(operations, _edit) is { } conflict)
            return conflict;

        var changes = operations.Length == 1 ? Single(operations[0]) : Several(operations);
        if (changes is null)
            return CommitResult.Committed(_revision);

        _revision++;
        Batches.Add(new ChangeBatch(_revision, changes));
        return CommitResult.Committed(_revision);
    }

    /// <summary>The first expectation that does not hold, or null.</summary>
    public static CommitResult? Check(ReadOnlySpan<Op> operations, TreeEdit state)
    {
        for (var i = 0; i < operations.Length; i++)
        {
            ref readonly var operation = ref operations[i];
            if (operation.Expect.Kind == ExpectKind.Any)
                continue;

            var current = state.Find(operation.Key);
            var expected = operation.Expect.Kind == ExpectKind.Absent ? 0 : operation.Expect.Revision;
            if ((current?.ModRevision ?? 0) != expected)
                return CommitResult.Conflict(i, current);
        }

        return null;
    }

    private Change[]? Single(in Op operation) => Apply(operation) is { } change ? [change] : null;

    private Change[]? Several(ReadOnlySpan<Op> operations)
    {
        var changes = new List<Change>(operations.Length);
        foreach (ref readonly var operation in operations)
        {
            if (Apply(operation) is { } change)
                changes.Add(change);
        }

        return changes.Count > 0 ? changes.ToArray() : null;
    }

    private Change? Apply(in Op operation)
    {
        var next = _revision + 1;
        if (operation.Kind == OpKind.Delete)
            return _edit.Remove(operation.Key) is { } removed ? new Change(operation.Key, null, removed) : null;

        var created = _edit.Find(operation.Key)?.CreateRevision ?? next;
        var entry = new Entry(operation.Key, operation.Value, created, next);
        return new Change(operation.Key, entry, _edit.Set(entry));
    }
}
