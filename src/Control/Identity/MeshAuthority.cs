using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Identity;

namespace Weft.Control.Identity;

/// <summary>The mesh's authority: signs for workloads, and moves from one root to the next as <see cref="RotationPlanner"/> says. Thread-safe.</summary>
public sealed partial class MeshAuthority : IDisposable
{
    private readonly Lock _gate = new();
    private readonly AuthorityFile _file;
    private readonly string _trustDomain;
    private readonly RotationSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private AuthorityState _state;
    private MeshRoot? _imported;
    private WorkloadSigner _signer;
    private TaskCompletionSource _changed = NewSignal();

    /// <param name="imported">What `cacerts` holds at the start, so that a first start with it makes no other root; null: nothing, or not known yet.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public MeshAuthority(AuthorityFile file, string trustDomain, RotationSettings settings, TimeProvider time, ILogger<MeshAuthority> logger, MeshRoot? imported = null)
    {
        (_file, _trustDomain, _settings, _time, _logger, _imported) = (file, trustDomain, settings, time, logger, imported);
        _state = file.Load();
        if (imported is null && _state.Signer is { Imported: true } kept)
            _imported = kept; // until it is known whether the Secret is still there
        Advance();
        _signer ??= new WorkloadSigner(_state.Signer!);
    }

    public TrustBundle Bundle
    {
        get
        {
            lock (_gate)
                return new(_state.BundleVersion, _trustDomain, _state.Bundle);
        }
    }

    public AuthorityState State
    {
        get
        {
            lock (_gate)
                return _state;
        }
    }

    /// <summary>Ends when the bundle is another than of this version.</summary>
    public Task ChangedAsync(long version)
    {
        lock (_gate)
            return _state.BundleVersion != version ? Task.CompletedTask : _changed.Task;
    }

    /// <returns>The chain in PEM.</returns>
    /// <exception cref="CryptographicException">The request is not usable.</exception>
    /// <exception cref="InvalidOperationException">The authority has expired.</exception>
    public string Sign(WorkloadAccount account, string requestPem)
    {
        if (!account.IsValid)
            throw new ArgumentException("not the name of a service account", nameof(account));
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            var root = _state.Signer!;
            if (root.NotAfter <= now)
                throw new InvalidOperationException($"the mesh's authority expired at {root.NotAfter:u}");
            var chain = _signer.Sign(requestPem, account.Identity(_trustDomain), now, _settings);
            if (!root.HasSigned)
                Commit(_state.Replace(root with { HasSigned = true })); // on disk before the certificate is out
            return chain;
        }
    }

    /// <summary>Takes what `cacerts` holds now; null: there is none.</summary>
    public void Import(MeshRoot? imported)
    {
        lock (_gate)
        {
            _imported = imported;
            Advance();
        }
    }

    /// <summary>Does what is due.</summary>
    public void Advance()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            while (RotationPlanner.Plan(_state, _imported, now, _settings) is { IsEmpty: false } steps)
            {
                var next = _state;
                foreach (var step in steps)
                {
                    next = RotationPlanner.Apply(next, step, now, () => RootFactory.Create(now, _settings));
                    Log.Step(_logger, step.GetType().Name, step switch { RotationStep.Sign(var id) => id, RotationStep.Drop(var id) => id, _ => next.Roots[^1].Id });
                }

                Commit(next);
            }
        }
    }

    /// <summary>Does what falls due, until cancelled; what is imported is told at once.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                Advance();
            }
            catch (IOException full)
            {
                Log.NotSaved(_logger, full.Message); // nothing has changed; it is tried again
            }

            await Task.Delay(_settings.Look, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _signer.Dispose();

    private void Commit(AuthorityState next)
    {
        _file.Save(next);
        var (before, signer) = (_state.BundleVersion, next.Signer);
        _state = next;
        if (signer is not null && _signer?.RootId != signer.Id)
        {
            _signer?.Dispose();
            _signer = new WorkloadSigner(signer);
        }

        if (before == next.BundleVersion)
            return;
        var changed = _changed;
        _changed = NewSignal();
        changed.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "mesh authority: {Step} {Root}")]
        public static partial void Step(ILogger logger, string step, string root);

        [LoggerMessage(LogLevel.Error, "mesh authority: its state cannot be written, so it stays as it is: {Reason}")]
        public static partial void NotSaved(ILogger logger, string reason);
    }
}
