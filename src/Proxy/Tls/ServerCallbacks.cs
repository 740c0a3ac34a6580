using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Weft.Proxy.Tls.Native;
using Weft.Proxy.Tls.Sessions;

namespace Weft.Proxy.Tls;

/// <summary>What libssl asks the server in a handshake. No exception may cross its frames: one ends the handshake.</summary>
internal static unsafe class ServerCallbacks
{
    public static void Install(nint context, bool alpn)
    {
        LibSsl.SSL_CTX_set_client_hello_cb(context, &ClientHello, 0);
        LibSsl.SSL_CTX_set_cert_verify_callback(context, &VerifyCallback.Verify, 0);
        if (alpn)
            LibSsl.SSL_CTX_set_alpn_select_cb(context, &SelectProtocol, 0);
        _ = LibSsl.SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &TicketCipher.Choose);
        _ = LibSsl.SSL_CTX_set_session_ticket_cb(context, 0, &TicketOpened, 0);
    }

    // Before anything is decided, a resumption too: so that the rules which a ticket is held against are those of the host that is asked for.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ClientHello(nint ssl, int* alert, nint argument)
    {
        try
        {
            byte* data;
            nuint length;
            var present = LibSsl.SSL_client_hello_get0_ext(ssl, Constants.ExtensionServerName, &data, &length) == 1;
            *alert = Constants.AlertUnrecognizedName;
            return LibSslEngine.Of(ssl).ChooseHost(ssl, present ? ServerName(new ReadOnlySpan<byte>(data, (int)length)) : null)
                ? Constants.ClientHelloSuccess : Constants.ClientHelloError;
        }
        catch (Exception)
        {
            *alert = Constants.AlertInternalError;
            return Constants.ClientHelloError;
        }
    }

    /// <summary>RFC 6066 section 3. What is not of that form libssl refuses itself, a moment later.</summary>
    private static string? ServerName(ReadOnlySpan<byte> extension)
    {
        const int ListLength = 2, Type = 1, NameLength = 2;
        if (extension.Length < ListLength + Type + NameLength || extension[ListLength] != 0)
            return null;
        var name = extension[(ListLength + Type + NameLength)..];
        var length = BinaryPrimitives.ReadUInt16BigEndian(extension[(ListLength + Type)..]);
        return length > name.Length ? null : ServerNames<ServerHost>.Normalize(name[..length]);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SelectProtocol(nint ssl, byte** chosen, byte* chosenLength, byte* offer, uint offerLength, nint argument)
    {
        try
        {
            foreach (var protocol in LibSslEngine.Of(ssl).Protocols)
            {
                for (uint at = 0; at < offerLength; at += 1u + offer[at])
                {
                    if (offer[at] != protocol.Length || !new ReadOnlySpan<byte>(offer + at + 1, offer[at]).SequenceEqual(protocol))
                        continue;
                    *chosen = offer + at + 1;
                    *chosenLength = offer[at];
                    return Constants.AlpnOk;
                }
            }

            return Constants.AlpnFatal;
        }
        catch (Exception)
        {
            return Constants.AlpnFatal;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int TicketOpened(nint ssl, nint session, byte* name, nuint nameLength, int status, nint argument)
    {
        try
        {
            if (status is Constants.TicketEmpty or Constants.TicketNoDecrypt)
                return Constants.TicketIgnoreRenew;
            if (status is not (Constants.TicketSuccess or Constants.TicketSuccessRenew))
                return status == Constants.TicketNone ? Constants.TicketIgnore : Constants.TicketAbort;
            if (!LibSslEngine.Of(ssl).MayResume(ssl, session))
                return Constants.TicketIgnoreRenew;
            // A TLS 1.3 client uses a ticket once, so it needs the next one.
            return status == Constants.TicketSuccessRenew || LibSsl.SSL_version(ssl) == Constants.Tls13 ? Constants.TicketUseRenew : Constants.TicketUse;
        }
        catch (Exception)
        {
            return Constants.TicketIgnore;
        }
    }
}
