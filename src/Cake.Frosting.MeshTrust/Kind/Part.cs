using MeshTrust;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>One part of a reading: what was read, or why it was not.</summary>
internal sealed record Part<T>(T? Value, IReadOnlyList<Problem> Problems)
    where T : class
{
    /// <summary>Reads it; a fault that a person can mend becomes problems.</summary>
    internal static Part<T> Read(Func<T?> read)
    {
        try
        {
            return new Part<T>(read(), []);
        }
        catch (MeshTrustException fault)
        {
            return new Part<T>(null, fault.Problems);
        }
    }

    /// <summary>Reads it; a fault that a person can mend becomes problems.</summary>
    internal static async Task<Part<T>> ReadAsync(Func<Task<T?>> read)
    {
        try
        {
            return new Part<T>(await read().ConfigureAwait(false), []);
        }
        catch (MeshTrustException fault)
        {
            return new Part<T>(null, fault.Problems);
        }
    }
}
