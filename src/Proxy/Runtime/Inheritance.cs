using Weft.Proxy.Tls.Sessions;

namespace Weft.Proxy.Runtime;

/// <summary>What an engine has from the process before it, and leaves to the next.</summary>
public sealed class Inheritance
{
    // A session lives for minutes; more hot restarts than this within them cost full handshakes, nothing else.
    private const int KeptKeys = 8;

    private Inheritance(ISocketKeeper sockets, TicketKeys tickets) => (Sockets, Tickets) = (sockets, tickets);

    internal ISocketKeeper Sockets { get; }

    internal TicketKeys Tickets { get; }

    /// <summary>The keys, to be handed on; nobody else may see them.</summary>
    public byte[] ExportTickets() => Tickets.Export();

    /// <param name="ticketKeys">Of the process before; null, or bytes that are none: new ones, and sessions of before are not resumed.</param>
    /// <param name="renew">Tickets are made with a new key from now on; those of before are taken.</param>
    public static Inheritance Of(ISocketKeeper sockets, byte[]? ticketKeys, bool renew = false)
    {
        var keys = ticketKeys is null ? null : TicketKeys.Parse(ticketKeys);
        return new(sockets, keys is null ? TicketKeys.New() : renew ? keys.Rotate(KeptKeys) : keys);
    }
}
