using System.Collections.Concurrent;
using Weft.Storage;

namespace Weft.ApiServer.Authentication;

/// <summary>
/// Tokens that were good, so that the signature (some 100 us) is not checked anew for each request of a client. A token counts only as long as its time
/// lasts and what it is bound to is the very same stored object; anything else is looked at from the start.
/// </summary>
internal sealed class VerifiedTokens
{
    // About 2 KB each: 20 MB at the most. Clients beyond that pay for the signature again.
    private const int Capacity = 10_000;

    private readonly ConcurrentDictionary<string, Verified> _known = new();
    private readonly ConcurrentDictionary<string, Verified>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    public VerifiedTokens() => _bySpan = _known.GetAlternateLookup<ReadOnlySpan<char>>();

    public Verified? Find(ReadOnlySpan<char> token) => _bySpan.TryGetValue(token, out var found) ? found : null;

    public void Add(string token, Verified verified)
    {
        if (_known.Count >= Capacity)
            _known.Clear();
        _known[token] = verified;
    }

    public void Remove(ReadOnlySpan<char> token) => _bySpan.TryRemove(token, out _);

    /// <param name="From">First moment of the token.</param>
    /// <param name="Until">Its end.</param>
    /// <param name="BoundTo">The stored objects that must not have changed.</param>
    internal sealed record Verified(UserInfo User, DateTimeOffset From, DateTimeOffset Until, IReadOnlyList<Entry> BoundTo);
}
