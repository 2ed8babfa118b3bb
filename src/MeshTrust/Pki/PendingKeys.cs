using System.Threading.Channels;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// Keys that are made ahead of time, on as many threads as there are cores: the first task of a run asks for all keys that the run will need,
/// and whoever issues takes the next one that is ready. Keys that nobody takes are dropped.
/// </summary>
public sealed class PendingKeys : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Queue<KeyAlgorithm> _wanted = new();
    private readonly Dictionary<KeyAlgorithm, Batch> _batches = [];
    private readonly Func<KeyAlgorithm, PrivateKeyPem> _generate;
    private readonly int _limit;
    private int _running;
    private bool _stopped;

    /// <summary>Keys from <see cref="KeyGeneration"/>, one thread for each core.</summary>
    public PendingKeys()
        : this(KeyGeneration.Generate, Environment.ProcessorCount)
    {
    }

    internal PendingKeys(Func<KeyAlgorithm, PrivateKeyPem> generate, int limit)
    {
        _generate = generate;
        _limit = limit;
    }

    /// <summary>Asks for keys and returns at once. What was asked for first is made first.</summary>
    public void AskFor(KeyAlgorithm algorithm, int count = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopped, this);
            BatchOf(algorithm).Asked += count;
            for (var i = 0; i < count; i++) _wanted.Enqueue(algorithm);
            // Threads of their own: a pool whose threads all make keys would hold up everything else that runs meanwhile.
            for (; _running < Math.Min(_limit, _wanted.Count); _running++) new Thread(Work) { IsBackground = true, Name = "MeshTrust key generation", Priority = ThreadPriority.BelowNormal }.Start();
        }
    }

    /// <summary>The next key of a kind that is ready; where none is left of those asked for, one is made now.</summary>
    /// <exception cref="OperationCanceledException">Cancelled, or this was disposed.</exception>
    public async Task<PrivateKeyPem> TakeAsync(KeyAlgorithm algorithm, CancellationToken cancellationToken = default)
    {
        Batch batch;
        lock (_lock)
        {
            if (_stopped) throw new OperationCanceledException("Key generation was stopped.");
            batch = BatchOf(algorithm);
            if (batch.Taken == batch.Asked) AskFor(algorithm);
            batch.Taken++;
        }

        try
        {
            return await batch.Ready.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            lock (_lock) batch.Taken--;
            throw;
        }
        catch (ChannelClosedException closed)
        {
            throw closed.InnerException ?? new OperationCanceledException("Key generation was stopped.");
        }
    }

    /// <summary>Stops after the keys that are being made; those who wait are cancelled.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _stopped = true;
            _wanted.Clear();
            foreach (var batch in _batches.Values) batch.Ready.Writer.TryComplete();
        }
    }

    private Batch BatchOf(KeyAlgorithm algorithm)
    {
        if (!_batches.TryGetValue(algorithm, out var batch)) _batches.Add(algorithm, batch = new Batch());
        return batch;
    }

    private void Work()
    {
        ThreadNiceness.Lower();
        while (true)
        {
            KeyAlgorithm algorithm;
            Batch batch;
            lock (_lock)
            {
                if (!_wanted.TryDequeue(out algorithm))
                {
                    _running--;
                    return;
                }

                batch = BatchOf(algorithm);
            }

            try
            {
                batch.Ready.Writer.TryWrite(_generate(algorithm));
            }
            // Told to whoever takes the key: a thread has nobody to tell.
            catch (Exception fault)
            {
                batch.Ready.Writer.TryComplete(fault);
            }
        }
    }

    private sealed class Batch
    {
        internal Channel<PrivateKeyPem> Ready { get; } = Channel.CreateUnbounded<PrivateKeyPem>();

        internal int Asked { get; set; }

        internal int Taken { get; set; }
    }
}
