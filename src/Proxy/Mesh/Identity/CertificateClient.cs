using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Identity;

namespace Weft.Proxy.Mesh.Identity;

/// <summary>Gets certificates for the keys that it makes, and the bundle, from the server; again and again, for as long as the proxy runs.</summary>
/// <param name="connect">Opens a connection to the server.</param>
internal sealed partial class CertificateClient(MeshIdentities identities, Func<CancellationToken, Task<WebSocket>> connect, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    // What a new account waits for when the server comes back.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private const int MaxUnderWay = 16;

    // FirstPause is LongestPause after so many.
    private const int ManyFailures = 6;
    private const int Told = 20;

    // Timers of .NET take 49 days.
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var (failures, defects) = (0, 0);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(() => failures = 0, cancellationToken);
                Log.Ended(logger);
            }
            catch (Exception lost) when (lost is WebSocketException or IOException or HttpRequestException or TimeoutException or CertificateChannelException or InvalidOperationException
                or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                if (failures == 0 || failures % Told == 0)
                    Log.Lost(logger, lost.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception defect)
            {
                // Certificates that are not renewed are the end of the node's traffic within a day: whatever it is, it is tried again.
                if (defects++ % Told == 0)
                    Log.Defect(logger, defect);
                failures = Math.Max(failures, ManyFailures);
            }

            var pause = FirstPause * Math.Pow(2, Math.Min(failures++, 10));
            await Task.Delay((pause < LongestPause ? pause : LongestPause) * (0.5 + (random.NextDouble() / 2)), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(Action worked, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var connecting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        using var socket = await connect(connecting.Token);
        var channel = new CertificateChannel(socket, time);
        using var underWay = new UnderWay();
        var reading = channel.ReceiveAsync(CertificateJson.Default.CertificateMessage, cancellationToken);
        var hasBundle = false;
        while (true)
        {
            var wanted = identities.WantedAsync(); // before the look: what is wanted after it is not missed
            var next = hasBundle ? await AskAsync(channel, underWay, cancellationToken) : DateTimeOffset.MaxValue;
            using (var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
            {
                await Task.WhenAny(reading, wanted, Task.Delay(WaitUntil(next, underWay), time, waiting.Token));
                await waiting.CancelAsync();
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (!reading.IsCompleted)
            {
                if (underWay.Oldest is { } asked && time.GetUtcNow() - asked >= Patience)
                    throw new TimeoutException("the server does not answer a request for a certificate");
                continue;
            }

            if (await reading is not { } message)
                return;
            worked();
            if (message.Bundle is { } bundle)
            {
                identities.SetBundle(bundle);
                hasBundle = true;
            }

            if (message.Answer is { } answer)
                Take(answer, underWay);
            reading = channel.ReceiveAsync(CertificateJson.Default.CertificateMessage, cancellationToken);
        }
    }

    /// <returns>When the next account falls due.</returns>
    private async Task<DateTimeOffset> AskAsync(CertificateChannel channel, UnderWay underWay, CancellationToken cancellationToken)
    {
        var (due, next) = identities.Plan();
        foreach (var account in due)
        {
            if (underWay.Count >= MaxUnderWay)
                break; // an answer brings us back here
            if (underWay.Has(account))
                continue;
            var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var id = underWay.Add(account, key, time.GetUtcNow());
            var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
            await channel.SendAsync(new SigningRequest(id, account.Namespace, account.Name, request), CertificateJson.Default.SigningRequest, cancellationToken);
        }

        return next;
    }

    private TimeSpan WaitUntil(DateTimeOffset next, UnderWay underWay)
    {
        var now = time.GetUtcNow();
        if (underWay.Oldest is { } asked && asked + Patience < next)
            next = asked + Patience;
        return next - now is var wait && wait > LongestWait ? LongestWait : wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1);
    }

    private void Take(SigningAnswer answer, UnderWay underWay)
    {
        if (underWay.Remove(answer.Id) is not var (account, key))
            throw new CertificateChannelException("an answer to what was not asked");
        using (key)
        {
            var error = answer.Chain is { } chain ? identities.Store(account, key.ExportECPrivateKeyPem() + "\n", chain) : answer.Reason ?? "refused";
            if (error is null)
                return;
            Log.Refused(logger, account, answer.Status, error);
            identities.Failed(account, released: answer.Status == 403);
        }
    }

    /// <summary>Keys whose certificates are on their way.</summary>
    private sealed class UnderWay : IDisposable
    {
        private readonly Dictionary<long, (WorkloadAccount Account, ECDsa Key, DateTimeOffset At)> _asked = [];
        private long _next;

        public int Count => _asked.Count;

        public DateTimeOffset? Oldest => _asked.Count == 0 ? null : _asked.Values.Min(each => each.At);

        public bool Has(WorkloadAccount account) => _asked.Values.Any(each => each.Account == account);

        public long Add(WorkloadAccount account, ECDsa key, DateTimeOffset at)
        {
            _asked[++_next] = (account, key, at);
            return _next;
        }

        public (WorkloadAccount Account, ECDsa Key)? Remove(long id) => _asked.Remove(id, out var found) ? (found.Account, found.Key) : null;

        public void Dispose()
        {
            foreach (var (_, key, _) in _asked.Values)
                key.Dispose();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "no connection to the mesh's authority, going on with the certificates that are there: {Reason}")]
        public static partial void Lost(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Error, "a defect in getting certificates, trying again")]
        public static partial void Defect(ILogger logger, Exception defect);

        [LoggerMessage(LogLevel.Information, "the server closed the connection for certificates; asking for a new one")]
        public static partial void Ended(ILogger logger);

        [LoggerMessage(LogLevel.Warning, "no certificate for {Account} ({Status}): {Reason}")]
        public static partial void Refused(ILogger logger, WorkloadAccount account, int status, string reason);
    }
}
