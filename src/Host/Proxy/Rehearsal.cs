using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Configuration.Files;
using Weft.Proxy.Runtime;

namespace Weft.Host.Proxy;

/// <summary>
/// What a process does while it waits to be needed: it reads the file, and serves itself a few requests on loopback, so that the code of a start and of a request is compiled and loaded when somebody waits for
/// it (measured: docs/decisions/0025).
/// </summary>
internal static class Rehearsal
{
    // The second one finds the code of a connection that is used again, the others only fill caches.
    private const int Requests = 8;

    // Fifty times what it takes on a loaded machine. One that waits for its own answer would not hear that it is needed.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <param name="path">Null: it is a node's proxy, which serves by no file.</param>
    /// <param name="needed">Somebody waits for what this was to prepare: it ends after its step.</param>
    public static async Task RunAsync(string? path, TimeProvider time, ILoggerFactory loggers, CancellationToken needed)
    {
#pragma warning disable RS0030
        var random = Random.Shared;
#pragma warning restore RS0030
        try
        {
            await using var engine = new ProxyEngine(loops: 1, accessLog: null, time, random, NullLoggerFactory.Instance);
            await engine.ApplyAsync(Of("respond: 200"));
            needed.ThrowIfCancellationRequested();
            await engine.ApplyAsync(Of("respond: 200", $"to: http://{engine.Addresses["rehearsal-0"]}"));
            using var patience = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, needed);
            await AskAsync(engine.Addresses["rehearsal-1"], either.Token);
            if (path is null)
                await MeshRehearsal.RunAsync(address => AskAsync(address, either.Token), time, random, NullLoggerFactory.Instance);
            else if (File.Exists(path) && ProxyFile.Read(await File.ReadAllTextAsync(path)).Config is { } config)
                engine.Check(config);
        }
        catch (Exception failed) when (failed is ProxyConfigException or IOException or SocketException or UnauthorizedAccessException or OperationCanceledException)
        {
            // A file with errors is nothing new, and without loopback the first requests take longer.
            loggers.CreateLogger("Weft.Proxy").LogDebug(failed, "the rehearsal was cut short");
        }

        // What was made on the way is not needed again.
        if (!needed.IsCancellationRequested)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    private static Weft.Proxy.Config.Model.ProxyConfig Of(params string[] routes) =>
        ProxyFile.Read("accessLog: {enabled: false}\nlisteners:\n" + string.Concat(routes.Select((route, i) =>
            $"- name: rehearsal-{i}\n  address: 127.0.0.{i + 1}\n  port: 0\n  routes:\n  - {route}\n"))).Config ?? throw new InvalidOperationException("the configuration of the rehearsal has errors");

    private static async Task AskAsync(IPEndPoint address, CancellationToken cancel)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address, cancel);
        var answer = new byte[4096];
        for (var i = 0; i < Requests; i++)
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: rehearsal\r\n\r\n"), cancel);
            if (await socket.ReceiveAsync(answer, cancel) == 0)
                return;
        }
    }
}
