using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading.Channels;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// Keys that are generated ahead of time, on as many threads as there are cores. The first task of a run reserves all keys that the run
/// needs; each issuer takes the next one that is ready. Unused keys are dropped.
/// </summary>
internal sealed class KeyPool(Func<KeyAlgorithm, PrivateKeyPem> generate, int limit) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<KeyAlgorithm, Shelf> _shelves = [];
    private readonly SemaphoreSlim _cores = new(limit);
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Keys from <see cref="KeyGeneration"/>, one thread for each core.</summary>
    internal KeyPool() : this(KeyGeneration.Generate, Environment.ProcessorCount) { }

    /// <summary>Reserves keys and returns at once. They are generated in order.</summary>
    internal void Reserve(KeyAlgorithm algorithm, int count = 1)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            var shelf = ShelfOf(algorithm);
            shelf.Unclaimed += count;
            for (var i = 0; i < count; i++) _ = MakeAsync(algorithm, shelf);
        }
    }

    /// <summary>The next key of a type that is ready; if all reserved ones are taken, one is generated now.</summary>
    /// <exception cref="OperationCanceledException">Cancelled, or this was disposed.</exception>
    internal async Task<PrivateKeyPem> RentAsync(KeyAlgorithm algorithm, CancellationToken cancellationToken = default)
    {
        Shelf shelf;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested) throw Stopped();
            shelf = ShelfOf(algorithm);
            if (shelf.Unclaimed == 0) Reserve(algorithm);
            shelf.Unclaimed--;
        }

        try
        {
            return await shelf.Ready.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            lock (_lock) shelf.Unclaimed++;
            throw;
        }
        catch (ChannelClosedException closed)
        {
            throw closed.InnerException ?? Stopped();
        }
    }

    /// <summary>Stops after the keys in progress; waiting callers are cancelled.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var shelf in _shelves.Values) shelf.Ready.Writer.TryComplete();
            _stop.Cancel();
        }
    }

    private Shelf ShelfOf(KeyAlgorithm algorithm)
    {
        if (!_shelves.TryGetValue(algorithm, out var shelf)) _shelves.Add(algorithm, shelf = new Shelf());
        return shelf;
    }

    private async Task MakeAsync(KeyAlgorithm algorithm, Shelf shelf)
    {
        try
        {
            await _cores.WaitAsync(_stop.Token).ConfigureAwait(false);
            // Its own thread: key generation on all pool threads would block everything else.
            var key = await Task.Factory.StartNew(Make, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                .ConfigureAwait(false);
            shelf.Ready.Writer.TryWrite(key);
        }
        // Thrown where the key is rented.
        catch (Exception fault)
        {
            shelf.Ready.Writer.TryComplete(fault);
        }

        PrivateKeyPem Make()
        {
            try
            {
                KeyGeneration.LowerPriority();
                return generate(algorithm);
            }
            finally
            {
                _cores.Release();
            }
        }
    }

    private static OperationCanceledException Stopped() => new("Key generation was stopped.");

    private sealed class Shelf
    {
        internal Channel<PrivateKeyPem> Ready { get; } = Channel.CreateUnbounded<PrivateKeyPem>();

        /// <summary>How many are ready or reserved and not yet rented.</summary>
        internal int Unclaimed { get; set; }
    }
}

/// <summary>Generates keys with the platform's generator (OpenSSL, CNG or Apple's), the fastest safe one available.</summary>
/// <remarks>docs/certificates.md has the measurement against BouncyCastle.</remarks>
internal static class KeyGeneration
{
    // About a tenth of an ordinary thread's share; all of a core that is otherwise idle.
    private const int LoweredNiceness = 10;
    private const int ProcessOrThread = 0;

    /// <summary>Generates one key. RSA takes up to seconds and cannot be cancelled once begun.</summary>
    internal static PrivateKeyPem Generate(KeyAlgorithm algorithm)
    {
        using AsymmetricAlgorithm key = algorithm switch
        {
            KeyAlgorithm.Rsa2048 => RSA.Create(2048),
            KeyAlgorithm.Rsa3072 => RSA.Create(3072),
            KeyAlgorithm.Rsa4096 => RSA.Create(4096),
            KeyAlgorithm.EcdsaP256 => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            KeyAlgorithm.EcdsaP384 => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
        };
        return PrivateKeyPem.FromGenerated(key.ExportPkcs8PrivateKey(), key.ExportSubjectPublicKeyInfo());
    }

    /// <summary>
    /// Lowers the calling thread's priority: keys are generated while clusters start, and should only use idle cores. On Linux .NET's own
    /// thread priorities have no effect. If the system rejects this, it only costs time.
    /// </summary>
    internal static void LowerPriority()
    {
        // On Linux, 0 means the calling thread; elsewhere the whole process.
        if (OperatingSystem.IsLinux()) _ = SetPriority(ProcessOrThread, 0, LoweredNiceness);
    }

    [DllImport("libc", EntryPoint = "setpriority", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, uint who, int priority);
}
