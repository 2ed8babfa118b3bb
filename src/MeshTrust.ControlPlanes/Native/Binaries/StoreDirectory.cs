using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>Directories of the store, which Go's setup-envtest makes read-only.</summary>
internal static class StoreDirectory
{
    /// <summary>Removes one with everything in it; what cannot be removed stays for the next time.</summary>
    public static void Delete(string path)
    {
        try
        {
            if (!Directory.Exists(path)) return;
            if (!OperatingSystem.IsWindows())
            {
                foreach (var directory in Directory.EnumerateDirectories(path, "*", SearchOption.AllDirectories).Prepend(path).ToList())
                    File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            // It is in nobody's way: it lies beside the store.
        }
    }

    /// <summary>Gives a directory its final name, in one step. Where one is there already it stays, unless <paramref name="replaces"/> says that it is a leftover.</summary>
    /// <returns>Whether it was moved.</returns>
    public static bool TryMove(string from, string to, Func<bool> replaces)
    {
        if (Directory.Exists(to))
        {
            if (!replaces()) return false;
            Delete(to);
        }

        try
        {
            Directory.Move(from, to);
            return true;
        }
        catch (IOException) when (Directory.Exists(to))
        {
            return false;
        }
    }
}
