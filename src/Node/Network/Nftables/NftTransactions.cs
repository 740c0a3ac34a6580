namespace Weft.Node.Network.Nftables;

/// <summary>
/// Carries changes to the kernel: by this program's own messages where it knows every command, by the `nft` program where not. nft reads the machine's
/// whole table before it writes an element. Not for two threads at once.
/// </summary>
/// <param name="typeOf">The types of sets and maps.</param>
internal sealed class NftTransactions(Func<string, NftSetType?> typeOf) : IDisposable
{
    private NftSocket? _socket;

    /// <returns>The line because of which nft did it; null: the messages were this program's own.</returns>
    /// <exception cref="IOException">Refused; nothing of the script is in force.</exception>
    public async Task<string?> ApplyAsync(string script, CancellationToken cancellationToken = default)
    {
        if (NftScript.TryRead(script, typeOf, out var unknown) is { Length: <= NftSocket.LongestTransaction } messages)
        {
            (_socket ??= new NftSocket()).Send(messages);
            return null;
        }
        await Nft.RunAsync(script, cancellationToken);
        return unknown.Length > 0 ? unknown : "the script is long";
    }

    public void Dispose() => _socket?.Dispose();
}
