using System.Buffers.Binary;
using AotLinker.Hashing;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Emit;

/// <summary>
/// The hash by which a program checks its FIPS module: HMAC-SHA256 with a key of zeros over a header and, each behind its length as 64
/// bits big-endian, the module's sections as they lie in the output (asmbfips).
/// </summary>
internal static class FipsHash
{
    /// <summary>
    /// Computes the hash over the output and writes it into go:fipsinfo. With -fipso what is hashed goes to a file as well. After
    /// emission, before anything signs the output.
    /// </summary>
    public static void Run(LinkContext ctx)
    {
        if (ctx.Fips is not { } fips || ctx.Target.IsExternal)
        {
            return;
        }
        using FipsObject? file = Open(ctx, out bool failed);
        if (failed)
        {
            return;
        }
        HmacSha256 hash = new(new byte[32]);
        Add("go fips object v1\n"u8);
        Segment readOnly = ctx.RoDataSegment.Vaddr != 0 ? ctx.RoDataSegment : ctx.TextSegment;
        Segment[] segments = [ctx.TextSegment, readOnly, ctx.DataSegment, ctx.DataSegment];
        Span<byte> length = stackalloc byte[8];
        for (int i = 0; i < segments.Length; i++)
        {
            SymbolId marker = fips.Markers[2 * i];
            ulong start = (ulong)ctx.Symbols.Value(marker);
            ulong end = (ulong)ctx.Symbols.Value(fips.Markers[(2 * i) + 1]);
            Segment segment = segments[i];
            // Headers in front of the text are no part of its segment yet when cmd/link looks: with a low -T they begin below zero.
            ulong segmentStart = segment == ctx.TextSegment ? (ulong)ctx.Settings.TextAddress : segment.Vaddr;
            ulong segmentEnd = segment.Vaddr + segment.FileLength;
            if (start < segmentStart || start > end || end > segmentEnd)
            {
                ctx.Diagnostics.Error(
                    $"asmbfips: {ctx.Symbols.NameText(marker)} not in expected segment (0x{start:x}..0x{end:x} not in 0x{segmentStart:x}..0x{segmentEnd:x})");
                return;
            }
            BinaryPrimitives.WriteUInt64BigEndian(length, end - start);
            Add(length);
            AddOutput(segment.OffsetOf(start), (long)(end - start));
        }

        ulong address = (ulong)ctx.Symbols.Value(fips.Info);
        Segment data = ctx.DataSegment;
        if (address < data.Vaddr || address + FipsSections.SumLength >= data.Vaddr + data.FileLength)
        {
            ctx.Diagnostics.Error(
                $"asmbfips: fipsinfo not in expected segment (0x{address:x}..0x{address + FipsSections.SumLength:x} not in 0x{data.Vaddr:x}..0x{data.Vaddr + data.FileLength:x})");
            return;
        }
        Span<byte> sum = stackalloc byte[FipsSections.SumLength];
        hash.Finish(sum);
        ctx.Output.Write(data.OffsetOf(address) + FipsSections.MagicLength, sum);
        file?.Finish(ctx);

        void Add(ReadOnlySpan<byte> bytes)
        {
            hash.Update(bytes);
            file?.Write(bytes);
        }

        void AddOutput(long offset, long count)
        {
            const int Piece = Mapping.OutputFile.MaxMade;
            for (long at = 0; at < count; at += Piece)
            {
                using Mapping.OutputLease lease = ctx.Output.LeaseRead(offset + at, (int)Math.Min(Piece, count - at));
                Add(lease.ReadOnlySpan);
            }
        }
    }

    private static FipsObject? Open(LinkContext ctx, out bool failed)
    {
        failed = false;
        if (ctx.Settings.FipsObject.Length == 0)
        {
            return null;
        }
        try
        {
            return new FipsObject(new FileStream(ctx.Settings.FipsObject, FileMode.Create, FileAccess.Write));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            ctx.Diagnostics.Error($"asmbfips: open {ctx.Settings.FipsObject}: {FipsObject.Describe(e)}");
            failed = true;
            return null;
        }
    }

    /// <summary>The file of -fipso. A failed write is reported once, at the end.</summary>
    private sealed class FipsObject(FileStream file) : IDisposable
    {
        private Exception? _failure;

        public void Write(ReadOnlySpan<byte> bytes) => Try(bytes, static (f, b) => f.Write(b));

        public void Finish(LinkContext ctx)
        {
            Try(default, static (f, _) => f.Flush());
            if (_failure is not null)
            {
                ctx.Diagnostics.Error($"asmbfips: write {ctx.Settings.FipsObject}: {Describe(_failure)}");
            }
        }

        public void Dispose() => file.Dispose();

        public static string Describe(Exception e) => e switch
        {
            UnauthorizedAccessException => "permission denied",
            FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
            _ => e.Message,
        };

        private void Try(ReadOnlySpan<byte> bytes, Action<FileStream, ReadOnlySpan<byte>> action)
        {
            try
            {
                if (_failure is null)
                {
                    action(file, bytes);
                }
            }
            catch (IOException e)
            {
                _failure = e;
            }
        }
    }
}
