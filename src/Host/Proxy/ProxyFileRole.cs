using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Weft.Host.Server;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Files;
using Weft.Proxy.Runtime;

namespace Weft.Host.Proxy;

/// <summary>`weft proxy --config FILE`: the data plane by itself. The file is read again when it or a certificate it names changes; what is wrong with it changes nothing.</summary>
internal static partial class ProxyFileRole
{
    /// <summary>The file has errors, or an address cannot be had.</summary>
    private const int BadConfiguration = 2;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    /// <param name="checkOnly">Says what is wrong with the file, and ends.</param>
    public static async Task<int> RunAsync(string path, bool checkOnly, TimeProvider time)
    {
        // Before it is read: what is written from here on is a change.
        var seen = Stamps(path, ProxyConfig.Empty);
        if (Read(path) is not { } config)
            return BadConfiguration;
        if (checkOnly)
        {
            Console.WriteLine($"{path} is fine: {config.Listeners.Count} listeners, {config.Clusters.Count} clusters");
            return 0;
        }

        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        var asked = 0;
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            Interlocked.Exchange(ref asked, 1);
        });
        using var loggers = new ConsoleLog(time, LogLevel.Information);
        var logger = loggers.CreateLogger("Weft.Proxy");

        // The one place where chance enters: everything below is given this.
#pragma warning disable RS0030
        var random = Random.Shared;
#pragma warning restore RS0030

        await using var access = AccessLog(config);
        await using var engine = new ProxyEngine(config.Loops, access, time, random, loggers);
        AdminServer? admin = null;
        try
        {
            await engine.ApplyAsync(config);
            if (config.Admin is { } settings)
                admin = AdminServer.Start(new IPEndPoint(IPAddress.Parse(settings.Address), settings.Port), request => Answer(engine, request), time, loggers.CreateLogger<AdminServer>());
        }
        catch (ProxyConfigException refused)
        {
            Print(path, refused.Errors);
            return BadConfiguration;
        }

        foreach (var (name, address) in engine.Addresses)
            Log.Listening(logger, name, address);
        if (admin is not null)
            Log.Admin(logger, admin.Address);
        using (var timer = new PeriodicTimer(Look, time))
        {
            while (await WaitAsync(timer, stopping.Token))
            {
                var now = Stamps(path, engine.Config);
                if (now == seen && Interlocked.Exchange(ref asked, 0) == 0)
                    continue;
                // As it was before it was read: what is written meanwhile is another change.
                seen = now;
                await ReloadAsync(engine, path, logger);
            }
        }

        Log.Draining(logger, engine.Config.DrainTimeout.TotalSeconds);
        await engine.DrainAsync(engine.Config.DrainTimeout);
        if (admin is not null)
            await admin.DisposeAsync();
        return 0;

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }
    }

    private static async Task ReloadAsync(ProxyEngine engine, string path, ILogger logger)
    {
        if (Read(path) is not { } config)
        {
            Log.Kept(logger, path);
            return;
        }

        try
        {
            await engine.ApplyAsync(config);
        }
        catch (ProxyConfigException refused)
        {
            Print(path, refused.Errors);
            Log.Kept(logger, path);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException)
        {
            Log.Failed(logger, path, failed);
        }
    }

    private static (int Status, string ContentType, string Body) Answer(ProxyEngine engine, string path)
    {
        switch (path)
        {
            case "/metrics":
                using (var text = new StringWriter { NewLine = "\n" })
                {
                    engine.WriteMetrics(text);
                    return (200, "text/plain; version=0.0.4; charset=utf-8", text.ToString());
                }
            case "/healthz" or "/ready":
                return (200, "text/plain", "ok\n");
            default:
                return (404, "text/plain", "/metrics, /healthz, /ready\n");
        }
    }

    private static Stream? AccessLog(ProxyConfig config) =>
        !config.AccessLog.Enabled ? null
        : config.AccessLog.File is { } file ? new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)
        : Console.OpenStandardOutput();

    private static ProxyConfig? Read(string path)
    {
        try
        {
            var result = ProxyFile.Read(File.ReadAllText(path));
            if (result.Config is null)
                Print(path, [.. result.Errors.Select(error => error.ToString())]);
            return result.Config;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            Print(path, [unreadable.Message]);
            return null;
        }
    }

    private static void Print(string path, IReadOnlyList<string> errors)
    {
        foreach (var error in errors)
            Console.Error.WriteLine($"{path}: {error}");
    }

    /// <summary>When the file and the certificates that it names were written.</summary>
    private static string Stamps(string path, ProxyConfig config)
    {
        var files = config.Certificates.SelectMany(certificate => new[] { certificate.Chain.File, certificate.Key.File })
            .Concat(config.Listeners.Select(listener => listener.Tls?.ClientAuthorities?.File))
            .Concat(config.Clusters.Select(cluster => cluster.Tls?.Authorities?.File))
            .Prepend(path);
        return string.Join('|', files.OfType<string>().Select(file => File.Exists(file) ? $"{File.GetLastWriteTimeUtc(file).Ticks}:{new FileInfo(file).Length}" : "gone"));
    }

    private static async Task<bool> WaitAsync(PeriodicTimer timer, CancellationToken stopping)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "listener {Listener} on {Address}", EventName = nameof(Listening))]
        public static partial void Listening(ILogger logger, string listener, IPEndPoint address);

        [LoggerMessage(LogLevel.Information, "metrics and health on {Address}", EventName = nameof(Admin))]
        public static partial void Admin(ILogger logger, IPEndPoint address);

        [LoggerMessage(LogLevel.Warning, "{File} is not taken; what was served goes on", EventName = nameof(Kept))]
        public static partial void Kept(ILogger logger, string file);

        [LoggerMessage(LogLevel.Error, "{File} could not be applied whole", EventName = nameof(Failed))]
        public static partial void Failed(ILogger logger, string file, Exception failure);

        [LoggerMessage(LogLevel.Information, "ending: open requests have {Seconds} s", EventName = nameof(Draining))]
        public static partial void Draining(ILogger logger, double seconds);
    }
}
