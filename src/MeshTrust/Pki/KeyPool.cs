using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading.Channels;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// Keys that are made ahead of time, on as many threads as there are cores: the first task of a run reserves all keys that the run will
/// need,
/// and each issuer takes the next one that is ready. Keys that nobody takes are dropped.
/// </summary>
internal sealed class KeyPool(Func<KeyAlgorithm, PrivateKeyPem> generate, int limit) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<KeyAlgorithm, Shelf> _shelves = [];
    private readonly SemaphoreSlim _cores = new(limit);
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Keys from <see cref="KeyGeneration"/>, one thread for each core.</summary>
    internal KeyPool()
        : this(KeyGeneration.Generate, Environment.ProcessorCount)
    {
    }

    /// <summary>Orders keys and returns at once. The first order is made first.</summary>
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

    /// <summary>The next key of a kind that is ready; where all reserved ones are taken, one is made now.</summary>
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

    /// <summary>Stops after the keys that are being made; those who wait are cancelled.</summary>
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
            // A thread of its own: a pool whose threads all make keys would hold up everything else that runs meanwhile.
            var key = await Task.Factory.StartNew(Make, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                .ConfigureAwait(false);
            shelf.Ready.Writer.TryWrite(key);
        }
        // Thrown where the key is rented: here is nobody to report to.
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

    /// <summary>The keys of one kind.</summary>
    private sealed class Shelf
    {
        internal Channel<PrivateKeyPem> Ready { get; } = Channel.CreateUnbounded<PrivateKeyPem>();

        /// <summary>How many are ready or reserved and not yet rented.</summary>
        internal int Unclaimed { get; set; }
    }
}

/// <summary>Makes keys with the platform's own generator (OpenSSL, CNG or Apple's), which is the fastest sound one that there is.</summary>
/// <remarks>docs/certificates.md has the measurement against BouncyCastle.</remarks>
internal static class KeyGeneration
{
    // About a tenth of the share of an ordinary thread: of a core that nobody else wants it is all.
    private const int LoweredNiceness = 10;
    private const int ProcessOrThread = 0;

    /// <summary>Makes one key. RSA takes up to seconds; a generation that has begun cannot be cancelled.</summary>
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
    /// Lets the calling thread give way: keys are made while clusters come up, and get the cores only when those wait. On Linux .NET's
    /// thread
    /// priorities do nothing. Where the system refuses, it costs nothing but time.
    /// </summary>
    internal static void LowerPriority()
    {
        // Linux takes 0 for the calling thread; elsewhere it is the whole process.
        if (OperatingSystem.IsLinux()) _ = SetPriority(ProcessOrThread, 0, LoweredNiceness);
    }

    [DllImport("libc", EntryPoint = "setpriority", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, uint who, int priority);
}
