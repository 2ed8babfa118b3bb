namespace MeshTrust.IO;

/// <summary>The former name of <see cref="AtomicFile"/>, for code that is not yet moved to it.</summary>
internal static class WholeFile
{
    public static void Replace(string path, ReadOnlySpan<byte> content, bool secret) => AtomicFile.Replace(path, content, secret);

    public static bool ReplaceIfChanged(string path, ReadOnlySpan<byte> content, bool secret) =>
        AtomicFile.ReplaceIfChanged(path, content, secret);

    public static void Sweep(string directory) => AtomicFile.Sweep(directory);
}
