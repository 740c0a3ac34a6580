using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Identity;

namespace Weft.Control.Identity;

/// <summary>
/// The server's side of one proxy's connection: the bundle at once and whenever it changes, and certificates for service accounts that are at work on the proxy's node.
/// The keys stay with the proxy.
/// </summary>
public sealed partial class CertificateStream(MeshAuthority authority, TimeProvider time, ILogger<CertificateStream> logger)
{
    private readonly SigningLimits _limits = new(time);
    private readonly TaskCompletionSource<IAccountPlaces> _places = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Certificates are given from now on; who asks earlier waits.</summary>
    public void Connect(IAccountPlaces places) => _places.TrySetResult(places);

    /// <summary>Serves until the proxy goes or misbehaves.</summary>
    /// <param name="node">The proxy's, by its authenticated name.</param>
    public async Task ServeAsync(string node, WebSocket socket, CancellationToken cancellationToken)
    {
        try
        {
            await AnswerAsync(node, new CertificateChannel(socket, time), cancellationToken);
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or ObjectDisposedException)
        {
            Log.Gone(logger, node);
        }
        catch (Exception bad) when (bad is CertificateChannelException or TimeoutException)
        {
            Log.Dropped(logger, node, bad.Message);
        }
    }

    private async Task AnswerAsync(string node, CertificateChannel channel, CancellationToken cancellationToken)
    {
        var told = await TellAsync(channel, cancellationToken);
        var reading = channel.ReceiveAsync(CertificateJson.Default.SigningRequest, cancellationToken);
        while (true)
        {
            var changed = authority.ChangedAsync(told);
            await Task.WhenAny(reading, changed.WaitAsync(cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
            if (changed.IsCompleted)
                told = await TellAsync(channel, cancellationToken);
            if (!reading.IsCompleted)
                continue;
            if (await reading is not { } request)
                return;
            var answer = Sign(node, await _places.Task.WaitAsync(cancellationToken), request);
            // A bundle that the new certificate needs is known before it.
            if (authority.Bundle.Version != told)
                told = await TellAsync(channel, cancellationToken);
            await channel.SendAsync(new CertificateMessage(null, answer), CertificateJson.Default.CertificateMessage, cancellationToken);
            reading = channel.ReceiveAsync(CertificateJson.Default.SigningRequest, cancellationToken);
        }
    }

    private async Task<long> TellAsync(CertificateChannel channel, CancellationToken cancellationToken)
    {
        var bundle = authority.Bundle;
        await channel.SendAsync(new CertificateMessage(bundle, null), CertificateJson.Default.CertificateMessage, cancellationToken);
        return bundle.Version;
    }

    private SigningAnswer Sign(string node, IAccountPlaces places, SigningRequest request)
    {
        var account = new WorkloadAccount(request.Namespace, request.ServiceAccount);
        if (!_limits.Take(node))
            return Refused(429, "too many requests of this node");
        if (!account.IsValid)
            return Refused(400, "not the name of a service account");
        if (!places.Runs(node, account))
        {
            Log.Refused(logger, node, account);
            return Refused(403, $"no pod of node {node} has the service account {account}");
        }

        try
        {
            return new SigningAnswer(request.Id, authority.Sign(account, request.Request), 200, null);
        }
        catch (CryptographicException bad)
        {
            return Refused(400, "the request is not usable: " + bad.Message);
        }
        catch (ArgumentException)
        {
            return Refused(400, "the request is no PKCS #10 in PEM");
        }
        catch (Exception unable) when (unable is InvalidOperationException or IOException)
        {
            Log.Unable(logger, unable.Message);
            return Refused(503, unable.Message);
        }

        SigningAnswer Refused(int status, string reason) => new(request.Id, null, status, reason);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "the proxy of node {Node} has gone")]
        public static partial void Gone(ILogger logger, string node);

        [LoggerMessage(LogLevel.Warning, "the certificate stream of node {Node} is ended: {Reason}")]
        public static partial void Dropped(ILogger logger, string node, string reason);

        [LoggerMessage(LogLevel.Warning, "the proxy of node {Node} asks for {Account}, which is not at work there")]
        public static partial void Refused(ILogger logger, string node, WorkloadAccount account);

        [LoggerMessage(LogLevel.Error, "no certificates can be signed: {Reason}")]
        public static partial void Unable(ILogger logger, string reason);
    }
}
