using System.Text.Json.Nodes;
using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <summary>
/// Something of which each value belongs to one object in the cluster: service addresses, node ports. A claim is a key of the store that is written in the same
/// transaction as the object, so two servers cannot give out the same value, and nothing leaks when one of them dies.
/// </summary>
internal interface IClaims
{
    bool Concerns(ResourceInfo resource);

    /// <summary>Sets values where the object leaves the choice to the server, and says which.</summary>
    ValueTask<IReadOnlyList<Choice>> AllocateAsync(JsonObject tree, JsonObject? old, CancellationToken cancellationToken);

    /// <summary>Refuses values that nobody can claim: out of range.</summary>
    void Check(JsonObject tree);

    /// <summary>The claims that the object holds: store key and how to say that a value is taken.</summary>
    IEnumerable<Claim> Of(JsonObject tree);
}

/// <param name="Taken">Makes the refusal of a value that the client chose.</param>
internal sealed record Claim(string Key, Func<Exception> Taken);

/// <param name="Undo">Takes the value out of the object again, so that another can be chosen.</param>
internal sealed record Choice(string Key, Action Undo);

/// <summary>The claims that one write gains and gives up.</summary>
internal sealed class ClaimSet
{
    private readonly List<Claim> _gained = [];
    private readonly List<Choice> _choices = [];
    private readonly List<Op> _operations = [];

    public static async ValueTask<ClaimSet> PrepareAsync(
        IReadOnlyList<IClaims> claims, ResourceInfo resource, JsonObject tree, JsonObject? old, CancellationToken cancellationToken)
    {
        var set = new ClaimSet();
        foreach (var kind in claims)
        {
            if (!kind.Concerns(resource))
                continue;
            set._choices.AddRange(await kind.AllocateAsync(tree, old, cancellationToken));
            kind.Check(tree);
            var before = old is null ? [] : kind.Of(old).Select(claim => claim.Key).ToHashSet();
            var after = new HashSet<string>();
            foreach (var claim in kind.Of(tree))
            {
                if (!after.Add(claim.Key) || before.Contains(claim.Key))
                    continue;
                set._gained.Add(claim);
                set._operations.Add(Op.Put(claim.Key, System.Text.Encoding.UTF8.GetBytes(Metadata.Uid(tree)), Expect.Absent));
            }
            set._operations.AddRange(before.Where(key => !after.Contains(key)).Select(key => Op.Delete(key)));
        }
        return set;
    }

    public static ClaimSet Release(IReadOnlyList<IClaims> claims, ResourceInfo resource, Envelope envelope)
    {
        var set = new ClaimSet();
        JsonObject? tree = null;
        foreach (var kind in claims)
        {
            if (kind.Concerns(resource))
                set._operations.AddRange(kind.Of(tree ??= envelope.Parse(0)).Select(claim => claim.Key).Distinct().Select(key => Op.Delete(key)));
        }
        return set;
    }

    /// <summary>The object's own operation first, then the claims: <see cref="CommitResult.FailedOperation"/> tells them apart.</summary>
    public Op[] With(Op own) => [own, .. _operations];

    /// <summary>A claim was taken by another object: refuses the write, or returns for another try with another value.</summary>
    public void Lost(int operation)
    {
        var key = _operations[operation - 1].Key;
        if (!_choices.Exists(choice => choice.Key == key))
            throw _gained.First(claim => claim.Key == key).Taken();
        // All of them: what stays in the object would count as chosen by the client in the next try.
        foreach (var choice in _choices)
            choice.Undo();
    }
}
