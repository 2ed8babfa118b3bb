using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Pki;

[TestFixture]
public sealed class KeyPoolTests
{
    [Test]
    public async Task Generates_no_more_keys_at_once_than_allowed_and_each_once()
    {
        var (running, most) = (0, 0);
        using var keys = new KeyPool(
            algorithm =>
            {
                var now = Interlocked.Increment(ref running);
                InterlockedMax(ref most, now);
                var key = KeyGeneration.Generate(algorithm);
                Interlocked.Decrement(ref running);
                return key;
            },
            limit: 3);
        keys.Reserve(KeyAlgorithm.EcdsaP256, 30);
        var taken = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => keys.RentAsync(KeyAlgorithm.EcdsaP256)));
        Assert.That(taken.Select(k => k.KeyId), Is.Unique);
        Assert.That(most, Is.InRange(1, 3));
        Assert.That(running, Is.Zero);
    }

    [Test]
    public async Task Gives_the_first_key_that_is_ready()
    {
        using var hold = new ManualResetEventSlim();
        var number = 0;
        using var keys = new KeyPool(
            algorithm =>
            {
                if (Interlocked.Increment(ref number) == 1) hold.Wait();
                return KeyGeneration.Generate(algorithm);
            },
            limit: 2);
        keys.Reserve(KeyAlgorithm.EcdsaP256, 2);
        Assert.That(await keys.RentAsync(KeyAlgorithm.EcdsaP256), Is.Not.Null, "the second key is ready while the first is held up");
        var second = keys.RentAsync(KeyAlgorithm.EcdsaP256);
        Assert.That(second.IsCompleted, Is.False);
        hold.Set();
        Assert.That(await second, Is.Not.Null);
    }

    [Test]
    public async Task Generates_a_key_that_was_not_reserved()
    {
        using var keys = new KeyPool();
        keys.Reserve(KeyAlgorithm.EcdsaP256);
        Assert.That((await keys.RentAsync(KeyAlgorithm.EcdsaP384)).KeyAlgorithm, Is.EqualTo(KeyAlgorithm.EcdsaP384));
    }

    [Test]
    public async Task A_cancelled_wait_loses_no_key()
    {
        using var hold = new ManualResetEventSlim();
        var made = 0;
        using var keys = new KeyPool(
            algorithm =>
            {
                hold.Wait();
                made++;
                return KeyGeneration.Generate(algorithm);
            },
            limit: 1);
        keys.Reserve(KeyAlgorithm.EcdsaP256);
        using var cancelled = new CancellationTokenSource();
        var wait = keys.RentAsync(KeyAlgorithm.EcdsaP256, cancelled.Token);
        await cancelled.CancelAsync();
        Assert.That(async () => await wait, Throws.InstanceOf<OperationCanceledException>());
        hold.Set();
        Assert.That(await keys.RentAsync(KeyAlgorithm.EcdsaP256), Is.Not.Null);
        Assert.That(made, Is.EqualTo(1));
    }

    [Test]
    public void A_failed_generator_is_reported_when_the_key_is_rented()
    {
        using var keys = new KeyPool(_ => throw new NotSupportedException("no such key here"), limit: 1);
        Assert.That(async () => await keys.RentAsync(KeyAlgorithm.EcdsaP256), Throws.TypeOf<NotSupportedException>());
    }

    [Test]
    public void Disposal_cancels_pending_waits()
    {
        using var hold = new ManualResetEventSlim();
        var keys = new KeyPool(
            algorithm =>
            {
                hold.Wait();
                return KeyGeneration.Generate(algorithm);
            },
            limit: 1);
        var wait = keys.RentAsync(KeyAlgorithm.EcdsaP256);
        keys.Dispose();
        Assert.That(async () => await wait, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await keys.RentAsync(KeyAlgorithm.EcdsaP256), Throws.InstanceOf<OperationCanceledException>());
        hold.Set();
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = target; value > seen; seen = target)
        {
            if (Interlocked.CompareExchange(ref target, value, seen) == seen) return;
        }
    }
}
