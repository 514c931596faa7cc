package slot

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// An index against a plain map, with hashes that are often the same, lie close
// together, and are the least and the greatest there are.
func TestIndex(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 1))
	var x index
	want := make(map[uint32][]uint32) // numbers by hash
	hash := func() uint32 {
		last := 1<<32 - 1 - random.Uint32N(8)
		if len(want[last]) > 0 { // many there find no room, and need not: hashes are seeded
			last = 0
		}
		return []uint32{random.Uint32(), random.Uint32N(1<<10) << 22, last, random.Uint32N(8)}[random.IntN(4)]
	}
	numbers := func(h uint32) (ns []uint32) {
		for i := x.find(h); x.at(i, h) != 0; i++ {
			ns = append(ns, x.at(i, h))
		}
		return ns
	}
	var hashes []uint32
	for step := range uint32(20_000) {
		filling := step/5_000%2 == 0 // then it is emptied again
		switch n := random.IntN(10); {
		case len(hashes) == 0 || filling && n < 6 || n < 2:
			h := hash()
			x.add(h, step+1)
			want[h] = append(want[h], step+1)
			hashes = append(hashes, h)
		case n < 9:
			i := random.IntN(len(hashes))
			h := hashes[i]
			hashes = slices.Delete(hashes, i, i+1)
			at := x.find(h) + random.IntN(len(want[h]))
			number := x.at(at, h)
			x.remove(at)
			want[h] = slices.DeleteFunc(want[h], func(n uint32) bool { return n == number })
		default:
			h := hashes[random.IntN(len(hashes))]
			at := x.find(h)
			number := x.at(at, h)
			x.put(at, number+1<<20)
			want[h][slices.Index(want[h], number)] = number + 1<<20
		}
		if step%64 == 0 {
			for h := range want {
				require.ElementsMatch(t, want[h], numbers(h))
			}
			require.EqualValues(t, len(hashes), x.count)
		}
	}
	require.Greater(t, len(x.words), 64)
}

// Where a run reaches the end and there is no room behind it, the index grows, and
// whoever stands last can leave.
func TestIndexWhoseLastRunReachesTheEnd(t *testing.T) {
	t.Parallel()
	const last = 1<<32 - 1
	var x index
	want := make(map[uint32]bool)
	for number := uint32(1); number < 10 || x.words[len(x.words)-1] == 0; number++ {
		x.add(last, number)
		want[number] = true
		require.EqualValues(t, len(want), x.count)
	}
	for len(want) > 0 {
		i := x.find(last)
		number := x.at(i, last)
		require.Contains(t, want, number)
		delete(want, number)
		x.remove(i)
	}
	require.Zero(t, x.count)
	require.Zero(t, x.at(x.find(last), last))
}

// Records against a plain map, with keys of which some differ in their last bits
// alone.
func TestRecords(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 3))
	rs := noRecords()
	want := make(map[key]place)
	for step := range place(20_000) {
		filling := step/4_000%2 == 0
		k := key{uint64(random.Uint32N(2_000)) << 53, uint64(random.Uint32N(2))}
		_, there := want[k]
		switch {
		case there && (!filling || random.IntN(4) == 0):
			rs.remove(rs.find(k))
			delete(want, k)
		case !there && filling:
			rs.add(k).place = step + 1
			want[k] = step + 1
		}
		if step%500 == 0 {
			requireRecords(t, want, &rs)
		}
	}
	for _, k := range slices.Collect(maps.Keys(want)) {
		rs.remove(rs.find(k))
		require.Nil(t, rs.find(k))
	}
	require.Zero(t, rs.count)
}

// Records do as an index does where a run reaches the end.
func TestRecordsWhoseLastRunReachesTheEnd(t *testing.T) {
	t.Parallel()
	const last = 1<<64 - 1
	rs := noRecords()
	want := make(map[key]place)
	for p := place(1); p < 10 || rs.slots[len(rs.slots)-1].place == 0; p++ {
		k := key{last, uint64(p)}
		rs.add(k).place = p
		want[k] = p
		requireRecords(t, want, &rs)
	}
	for _, k := range slices.Collect(maps.Keys(want)) {
		rs.remove(rs.find(k))
		delete(want, k)
		require.Nil(t, rs.find(k))
		requireRecords(t, want, &rs)
	}
}

// However many there are, three quarters of the homes are taken at most, and
// beyond the first few not much less than that.
func TestLoad(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	rs := noRecords()
	var x index
	requireLoad := func(count, homes float64) {
		require.LessOrEqual(t, count, homes-math.Floor(homes/4))
		if count > fewHomes {
			require.Greater(t, count, 0.59*homes)
		}
	}
	for number := range uint32(5_000) {
		rs.add(key{hi: random.Uint64()}).place = number + 1
		requireLoad(float64(rs.count), float64(rs.homes))
		x.add(random.Uint32(), number+1)
		requireLoad(float64(x.count), float64(x.homes))
	}
}

// requireRecords asks for these places, by key, and no others.
func requireRecords(t *testing.T, want map[key]place, rs *records) {
	t.Helper()
	for k, p := range want {
		r := rs.find(k)
		require.NotNil(t, r)
		require.Equal(t, k, r.key)
		require.Equal(t, p, r.place)
	}
	require.EqualValues(t, len(want), uint64(rs.count))
	requireLeads(t, rs.area)
}

// Records of the past against a plain map: those who are forgotten are any, or the
// earliest. Numbers wrap around.
func TestArchive(t *testing.T) {
	t.Parallel()
	for name, forgetsAny := range map[string]bool{"any": true, "earliest": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(3, 2))
			a := archive{first: math.MaxUint32 - 1000, next: math.MaxUint32 - 1000}
			want := make(map[key]record)
			var came []key
			for step := range uint32(20_000) {
				filling := step/4_000%2 == 0
				k := key{uint64(random.Uint32N(2_000)) << 53, uint64(random.Uint32N(2))} // some share the bits they are found by
				if !forgetsAny && len(came) > 0 && want[k].place != 0 {
					k = came[0]
				}
				r, there := want[k]
				switch {
				case there && (!filling || random.IntN(4) == 0):
					require.Equal(t, r, a.remove(k))
					delete(want, k)
					if i := slices.Index(came, k); i >= 0 {
						came = slices.Delete(came, i, i+1)
					}
				case !there && filling:
					r = record{key: k, place: step + 1, packed: step & 3}
					a.add(&r)
					want[k] = r
					came = append(came, k)
				}
				if step%200 == 0 {
					requireArchive(t, want, &a)
				}
			}
			for _, k := range slices.Collect(maps.Keys(want)) {
				a.remove(k)
				require.Nil(t, a.find(k))
				delete(want, k)
			}
			requireArchive(t, want, &a)
			require.Equal(t, a.next, a.first)
		})
	}
}

// requireArchive asks for these records and no others.
func requireArchive(t *testing.T, want map[key]record, a *archive) {
	t.Helper()
	for k, r := range want {
		require.Equal(t, &r, a.find(k))
	}
	require.Equal(t, len(want), a.count)
	for high := range uint64(2_000) {
		for low := range uint64(2) {
			k := key{high << 53, low}
			require.Equal(t, want[k].place != 0, a.find(k) != nil)
		}
	}
	marked := archive{found: a.found, marks: make([]uint64, len(a.marks))}
	marked.markAll()
	require.True(t, slices.Equal(marked.marks, a.marks))
}

// An archive needs room for those who are there, however many have come and gone, in
// order or, because one stays, behind him.
func TestArchiveIsBounded(t *testing.T) {
	t.Parallel()
	const most = 500
	for name, stays := range map[string]bool{"in order": false, "one stays": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(3, 5))
			a := archive{first: math.MaxUint32 - 1000, next: math.MaxUint32 - 1000}
			var keys []key
			if stays {
				a.add(&record{key: key{1, 1}, place: 1})
			}
			for number := range uint32(50_000) {
				k := key{random.Uint64(), random.Uint64()}
				a.add(&record{key: k, place: number + 1})
				if keys = append(keys, k); len(keys) > most {
					require.Equal(t, number+1-most, a.remove(keys[0]).place)
					keys = keys[1:]
				}
				require.LessOrEqual(t, int(a.next-a.first), 2*most+2*shelfRecords+1)
			}
			require.LessOrEqual(t, len(a.shelves), 128)
			require.LessOrEqual(t, int(a.found.homes), 3*most)
			require.Equal(t, stays, a.find(key{1, 1}) != nil)
			for _, k := range keys {
				require.Equal(t, k, a.find(k).key)
			}
		})
	}
}
