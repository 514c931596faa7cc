package measure

import "unsafe"

// What the floor shares with the table.
const (
	FloorRecordSize = unsafe.Sizeof(floorRecord{})
	FloorStripeSize = unsafe.Sizeof(floorStripe{})
)
