using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Weft.Control.Discovery.Dns;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Files;

/// <summary>Follows the services file: a good one is taken as a whole, a bad one is said in the log with every error, and what was before stays.</summary>
public sealed partial class ServicesFileLoop : IAsyncDisposable
{
    // A look at the file's time and size. Notices of the kernel get lost when the file, or a directory above it, is replaced by a link.
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly ServiceRegistry _registry;
    private readonly DnsServices _dns;
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private ImmutableSortedDictionary<string, Projection> _names = ImmutableSortedDictionary.Create<string, Projection>(StringComparer.OrdinalIgnoreCase);
    private (DateTime Time, long Length) _seen;
    private Task _running = Task.CompletedTask;

    private ServicesFileLoop(ServiceRegistry registry, DnsServices dns, string path, TimeProvider time, ILogger logger) => (_registry, _dns, _path, _time, _logger) = (registry, dns, path, time, logger);

    /// <summary>Errors of the file as it is now; empty: it is the one that is served.</summary>
    public IReadOnlyList<ServicesFileError> Errors { get; private set; } = [];

    /// <summary>Returns when the file was read once, well or not.</summary>
    /// <param name="dns">Told which services of the file DNS is asked for; stays its owner's.</param>
    public static async Task<ServicesFileLoop> StartAsync(ServiceRegistry registry, DnsServices dns, string path, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var loop = new ServicesFileLoop(registry, dns, path, time, logger);
        await loop.LookAsync(cancellationToken);
        loop._running = loop.RunAsync();
        return loop;
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Period, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
                await LookAsync(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var file = new FileInfo(_path);
            if (file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target)
                file = target;
            var seen = file.Exists ? (file.LastWriteTimeUtc, file.Length) : (DateTime.MinValue, -1L);
            if (seen == _seen)
                return;
            await TakeAsync(file, cancellationToken);
            _seen = seen; // after: what was not taken is tried again
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or RegistryException or RegistryStoreException)
        {
            Log.NotRead(_logger, _path, failed.Message);
        }
    }

    private async Task TakeAsync(FileInfo file, CancellationToken cancellationToken)
    {
        if (!file.Exists)
        {
            Refuse([new(1, "", "the file is not there")]);
            return;
        }

        if (file.Length > ServicesFile.MaxBytes)
        {
            Refuse([new(1, "", $"the file has {file.Length} bytes; at most {ServicesFile.MaxBytes}")]);
            return;
        }

        var (names, asked, errors) = ServicesFile.Parse(await File.ReadAllTextAsync(file.FullName, cancellationToken), Path.GetFileName(_path), _time.GetUtcNow());
        if (errors.Length > 0)
        {
            Refuse(errors);
            return;
        }

        await _registry.ChangeAsync(
            draft =>
            {
                foreach (var gone in _names.Keys.Where(name => !names.ContainsKey(name)))
                    draft.Project(NameSource.File, gone, null);
                foreach (var (name, projection) in names.Where(pair => !_names.TryGetValue(pair.Key, out var old) || !Same(old, pair.Value)))
                    draft.Project(NameSource.File, name, projection);
                return 0;
            }, cancellationToken);
        _names = names;
        await _dns.FollowAsync(asked, cancellationToken);
        Errors = [];
        Log.Taken(_logger, _path, names.Count + asked.Count);
    }

    private void Refuse(IReadOnlyList<ServicesFileError> errors)
    {
        Errors = errors;
        foreach (var error in errors)
            Log.Refused(_logger, _path, error.ToString());
    }

    // But for its age: whoever waits for a name is woken when it is another.
    private static bool Same(Projection old, Projection next) => old.Entries.Length == next.Entries.Length && old.Entries.Zip(next.Entries).All(pair =>
        pair.First.Instance with { Since = default, Meta = pair.Second.Instance.Meta, Tags = pair.Second.Instance.Tags } == (pair.Second.Instance with { Since = default })
        && pair.First.Instance.Tags.SequenceEqual(pair.Second.Instance.Tags) && pair.First.Instance.Meta.SequenceEqual(pair.Second.Instance.Meta));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "services file {Path}: {Count} names")]
        public static partial void Taken(ILogger logger, string path, int count);

        [LoggerMessage(LogLevel.Error, "services file {Path} is refused, the one before stays: {Error}")]
        public static partial void Refused(ILogger logger, string path, string error);

        [LoggerMessage(LogLevel.Error, "services file {Path} could not be read: {Reason}")]
        public static partial void NotRead(ILogger logger, string path, string reason);
    }
}
