using System.Security.Cryptography;
using System.Text;

namespace Cake.Frosting.MeshTrust;

/// <summary>Asks for the passphrase of the root key at the terminal, without showing it.</summary>
internal static class PassphrasePrompt
{
    /// <summary>Prompts for the passphrase, twice for a new one; null without a terminal.</summary>
    public static byte[]? Ask(bool isNew, CancellationToken cancellationToken)
    {
        if (Console.IsInputRedirected) return null;
        using var pause = LiveStatus.PauseAsync(cancellationToken).GetAwaiter().GetResult();
        while (true)
        {
            var passphrase = ReadLine(isNew ? "New passphrase of the root key: " : "Passphrase of the root key: ", cancellationToken);
            if (!isNew || passphrase.Length == 0) return passphrase;
            var again = ReadLine("The same again: ", cancellationToken);
            var isSame = again.AsSpan().SequenceEqual(passphrase);
            CryptographicOperations.ZeroMemory(again);
            if (isSame) return passphrase;
            CryptographicOperations.ZeroMemory(passphrase);
            Console.Error.WriteLine("They differ.");
        }
    }

    private static byte[] ReadLine(string prompt, CancellationToken cancellationToken)
    {
        Console.Error.Write(prompt);
        var (typed, length) = (new char[1024], 0);
        while (true)
        {
            // A key is only read if there is one, so that Ctrl-C and the time limit end the wait.
            while (!Console.KeyAvailable)
            {
                cancellationToken.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(20));
                cancellationToken.ThrowIfCancellationRequested();
            }

            var key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter) break;
            if (key.Key == ConsoleKey.Backspace) length = Math.Max(0, length - 1);
            else if (!char.IsControl(key.KeyChar) && length < typed.Length) typed[length++] = key.KeyChar;
        }

        Console.Error.WriteLine();
        var passphrase = Encoding.UTF8.GetBytes(typed, 0, length);
        Array.Clear(typed);
        return passphrase;
    }
}
