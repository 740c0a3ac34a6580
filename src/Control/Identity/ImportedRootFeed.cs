using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;

namespace Weft.Control.Identity;

/// <summary>Gives the authority what the Secret `cacerts` of the mesh's own namespace holds, now and with every change. One that cannot be used changes nothing.</summary>
public sealed partial class ImportedRootFeed : IDisposable
{
    public const string Name = "cacerts";

    private readonly Lock _gate = new();
    private readonly ObjectCache<Secret> _secrets;
    private readonly ObjectKey _key;
    private readonly MeshAuthority _authority;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IDisposable _subscription;

    private ImportedRootFeed(ObjectCache<Secret> secrets, string @namespace, MeshAuthority authority, TimeProvider time, ILogger logger)
    {
        (_secrets, _key, _authority, _time, _logger) = (secrets, new ObjectKey(@namespace, Name), authority, time, logger);
        Refresh();
        _subscription = secrets.Subscribe(change =>
        {
            if (change.Current.Metadata.Name == Name && change.Current.Metadata.Namespace == _key.Namespace)
                Refresh();
        });
    }

    public static async Task<ImportedRootFeed> StartAsync(
        Informers informers, string @namespace, MeshAuthority authority, TimeProvider time, ILogger<ImportedRootFeed> logger, CancellationToken cancellationToken)
    {
        var informer = informers.Of<Secret>();
        await informer.Synced.WaitAsync(cancellationToken); // before that "none" may only mean "not read yet"
        return new(informer.Cache, @namespace, authority, time, logger);
    }

    private void Refresh()
    {
        lock (_gate)
        {
            try
            {
                if (_secrets.Find(_key) is not { } secret)
                    _authority.Import(null);
                else if (ImportedRoot.Read(secret.Data, _time.GetUtcNow(), out var error) is { } root)
                    _authority.Import(root);
                else
                    Log.NotUsable(_logger, _key, error!);
            }
            catch (IOException full)
            {
                Log.NotTaken(_logger, _key, full.Message); // the authority tries again by itself
            }
        }
    }

    public void Dispose() => _subscription.Dispose();

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "the Secret {Key} is not used, the mesh's authority stays as it is: {Reason}")]
        public static partial void NotUsable(ILogger logger, ObjectKey key, string reason);

        [LoggerMessage(LogLevel.Error, "the Secret {Key} is not taken yet: {Reason}")]
        public static partial void NotTaken(ILogger logger, ObjectKey key, string reason);
    }
}
